/**
 * Replaces variables of the environment by the syntax of Kafka Connect for a provider named `env`: `${HOST}` becomes
 * `${env:HOST}`.
 *
 * @param secret variable that replaces a text without variables, because secrets are not copied
 */
export function cutVariables(text: string, secret?: string): string {
  const variables = text.replace(/\$\{(\w+)\}/g, '${env:$1}');
  return secret !== undefined && variables === text ? `\${env:${secret}}` : variables;
}
