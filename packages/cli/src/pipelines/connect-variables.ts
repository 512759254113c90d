/**
 * A text with variables of the environment as Kafka Connect reads them from a provider called `env`: `${HOST}` gives
 * `${env:HOST}`.
 *
 * @param secret variable that takes the place of a text that has none: secrets are not copied.
 */
export function cutVariables(text: string, secret?: string): string {
  const variables = text.replace(/\$\{(\w+)\}/g, '${env:$1}');
  return secret !== undefined && variables === text ? `\${env:${secret}}` : variables;
}
