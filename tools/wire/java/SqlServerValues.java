import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.debezium.config.CommonConnectorConfig.BinaryHandlingMode;
import io.debezium.connector.sqlserver.SqlServerValueConverters;
import io.debezium.jdbc.JdbcValueConverters.DecimalMode;
import io.debezium.jdbc.TemporalPrecisionMode;
import io.debezium.relational.Column;
import io.debezium.relational.ColumnEditor;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Calendar;
import java.util.GregorianCalendar;
import java.util.Locale;
import java.util.Map;
import java.util.SimpleTimeZone;
import java.util.TimeZone;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.json.JsonConverter;

/**
 * Says what Debezium's connector for SQL Server sends for a value, without a server: Microsoft's driver makes the value
 * that it would read, the connector's own converter and Kafka Connect's JSON converter make of it what is sent.
 *
 * Reads a request a line from stdin and writes an answer a line to stdout. Ends when stdin ends.
 */
public class SqlServerValues {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final LocalDate COMMON_ERA = LocalDate.of(1, 1, 1);
  private static final LocalDate DATETIME_BASE = LocalDate.of(1900, 1, 1);

  /** JDBC type of a type, as the driver describes its columns. */
  private static final Map<String, Integer> JDBC_TYPES =
      Map.ofEntries(
          Map.entry("bit", Types.BIT),
          Map.entry("tinyint", Types.TINYINT),
          Map.entry("smallint", Types.SMALLINT),
          Map.entry("int", Types.INTEGER),
          Map.entry("bigint", Types.BIGINT),
          Map.entry("real", Types.REAL),
          Map.entry("float", Types.DOUBLE),
          Map.entry("decimal", Types.DECIMAL),
          Map.entry("numeric", Types.NUMERIC),
          Map.entry("money", microsoft.sql.Types.MONEY),
          Map.entry("smallmoney", microsoft.sql.Types.SMALLMONEY),
          Map.entry("date", Types.DATE),
          Map.entry("time", Types.TIME),
          Map.entry("datetime", Types.TIMESTAMP),
          Map.entry("smalldatetime", Types.TIMESTAMP),
          Map.entry("datetime2", Types.TIMESTAMP),
          Map.entry("datetimeoffset", microsoft.sql.Types.DATETIMEOFFSET),
          Map.entry("binary", Types.BINARY),
          Map.entry("varbinary", Types.VARBINARY),
          Map.entry("uniqueidentifier", Types.CHAR),
          Map.entry("nvarchar", Types.NVARCHAR));

  public static void main(String[] args) throws Exception {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    JsonConverter json = new JsonConverter();
    json.configure(Map.of("schemas.enable", "false"), false);
    for (String line; (line = lines.readLine()) != null; ) {
      ObjectNode answer = JSON.createObjectNode();
      try {
        answer.put("sends", send(JSON.readTree(line), json));
      } catch (Exception failed) {
        answer.put("fails", failed.toString());
      }
      answers.println(answer);
    }
  }

  private static String send(JsonNode request, JsonConverter json) throws Exception {
    SqlServerValueConverters converters =
        new SqlServerValueConverters(
            DecimalMode.valueOf(request.get("decimal.handling.mode").asText().toUpperCase(Locale.ROOT)),
            TemporalPrecisionMode.parse(request.get("time.precision.mode").asText()),
            BinaryHandlingMode.parse(request.get("binary.handling.mode").asText()));
    String type = request.get("type").asText();
    ColumnEditor editor =
        Column.editor()
            .name("v")
            .type(type)
            .jdbcType(JDBC_TYPES.get(type))
            .length(request.get("length").asInt())
            .optional(request.get("optional").asBoolean());
    if (request.has("scale")) editor.scale(request.get("scale").asInt());
    Column column = editor.create();
    SchemaBuilder valueSchema = converters.schemaBuilder(column);
    if (column.isOptional()) valueSchema.optional();
    Schema schema = SchemaBuilder.struct().field("v", valueSchema.build()).build();
    Field field = schema.field("v");
    Object read = read(type, request.path("scale").asInt(), request.get("value").asText());
    Struct row = new Struct(schema).put(field, converters.converter(column, field).convert(read));
    String sent = new String(json.fromConnectData("t", schema, row), StandardCharsets.UTF_8);
    return sent.substring("{\"v\":".length(), sent.length() - 1);
  }

  /** The value as the driver hands it to the connector. */
  private static Object read(String type, int scale, String text) throws Exception {
    return switch (type) {
      case "bit" -> text.equals("1");
      case "tinyint", "smallint" -> Short.valueOf(text);
      case "int" -> Integer.valueOf(text);
      case "bigint" -> Long.valueOf(text);
      case "real" -> Float.valueOf(text);
      case "float" -> Double.valueOf(text);
      case "decimal", "numeric", "money", "smallmoney" ->
          new BigDecimal(text).setScale(scale);
      case "binary", "varbinary" -> Base64.getDecoder().decode(text);
      case "uniqueidentifier", "nvarchar" -> text;
      case "date" -> temporal("DATE", "DATE", local(), days(LocalDate.parse(text)), 0, 0);
      // The connector asks for a time as a time stamp, so as not to lose digits.
      case "time" ->
          temporal("TIMESTAMP", "TIME", local(), 0, LocalTime.parse(text).toNanoOfDay(), scale);
      case "datetime", "smalldatetime" -> {
        LocalDateTime at = LocalDateTime.parse(text);
        int days = (int) ChronoUnit.DAYS.between(DATETIME_BASE, at.toLocalDate());
        long millis = at.toLocalTime().toNanoOfDay() / 1_000_000;
        yield temporal("TIMESTAMP", "DATETIME", local(), days, millis, 0);
      }
      case "datetime2" -> {
        LocalDateTime at = LocalDateTime.parse(text);
        long nanos = at.toLocalTime().toNanoOfDay();
        yield temporal("TIMESTAMP", "DATETIME2", local(), days(at.toLocalDate()), nanos, scale);
      }
      case "datetimeoffset" -> {
        OffsetDateTime at = OffsetDateTime.parse(text);
        LocalDateTime utc = at.withOffsetSameInstant(ZoneOffset.UTC).toLocalDateTime();
        int offsetMillis = at.getOffset().getTotalSeconds() * 1000;
        Calendar calendar = new GregorianCalendar(new SimpleTimeZone(offsetMillis, ""), Locale.US);
        long nanos = utc.toLocalTime().toNanoOfDay();
        int days = days(utc.toLocalDate());
        yield temporal("DATETIMEOFFSET", "DATETIMEOFFSET", calendar, days, nanos, scale);
      }
      default -> throw new IllegalArgumentException("expected a type, found " + type);
    };
  }

  private static int days(LocalDate date) {
    return (int) ChronoUnit.DAYS.between(COMMON_ERA, date);
  }

  private static Calendar local() {
    return new GregorianCalendar(TimeZone.getDefault(), Locale.US);
  }

  /** The driver's own conversion of what is on its wire, which it does not publish. */
  private static Object temporal(
      String jdbcType, String serverType, Calendar calendar, int days, long ticks, int scale)
      throws Exception {
    String driver = "com.microsoft.sqlserver.jdbc.";
    Class<?> jdbcTypes = Class.forName(driver + "JDBCType");
    Class<?> serverTypes = Class.forName(driver + "SSType");
    Method convert =
        Class.forName(driver + "DDC")
            .getDeclaredMethod(
                "convertTemporalToObject",
                jdbcTypes,
                serverTypes,
                Calendar.class,
                int.class,
                long.class,
                int.class);
    convert.setAccessible(true);
    Object to = constant(jdbcTypes, jdbcType);
    Object from = constant(serverTypes, serverType);
    return convert.invoke(null, to, from, calendar, days, ticks, scale);
  }

  private static Object constant(Class<?> type, String name) throws Exception {
    java.lang.reflect.Field field = type.getDeclaredField(name);
    field.setAccessible(true);
    return field.get(null);
  }
}
