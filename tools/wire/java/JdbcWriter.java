import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.Base64;
import java.util.Calendar;
import java.util.TimeZone;
import java.util.UUID;

/**
 * Inserts rows with pgjdbc, each value bound as the request says: as Confluent's sink binds (`setDate` and the like), or
 * as Debezium's does (`setObject` of a class of java.time).
 *
 * Reads a request a line from stdin and writes an answer a line to stdout. Ends when stdin ends.
 */
public class JdbcWriter {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    try (Connection connection = DriverManager.getConnection(System.getenv("WIRE_JDBC_URL"))) {
      for (String line; (line = lines.readLine()) != null; ) {
        answers.println(insert(connection, JSON.readTree(line)));
      }
    }
  }

  private static ObjectNode insert(Connection connection, JsonNode request) {
    ObjectNode answer = JSON.createObjectNode();
    try (PreparedStatement statement = connection.prepareStatement(sqlOf(request))) {
      for (JsonNode row : request.get("rows")) {
        for (int i = 0; i < row.size(); i++) bind(statement, i + 1, row.get(i));
        statement.addBatch();
      }
      int rows = statement.executeBatch().length;
      answer.put("ok", true).put("rows", rows);
    } catch (SQLException refused) {
      // Of a batch that is refused the driver's own exception comes first, the server's behind it.
      SQLException first = refused.getNextException() == null ? refused : refused.getNextException();
      answer.put("ok", false).put("sqlstate", first.getSQLState()).put("message", first.getMessage());
    } catch (RuntimeException refused) {
      answer.put("ok", false).put("message", refused.toString());
    }
    return answer;
  }

  /** Placeholders come with the request, since Debezium's sink casts some: `CAST(? AS uuid)`. */
  private static String sqlOf(JsonNode request) {
    return "INSERT INTO %s (%s) VALUES (%s)"
        .formatted(
            request.get("table").asText(),
            join(request.get("columns")),
            join(request.get("placeholders")));
  }

  private static String join(JsonNode texts) {
    StringBuilder joined = new StringBuilder();
    for (JsonNode text : texts) joined.append(joined.isEmpty() ? "" : ", ").append(text.asText());
    return joined.toString();
  }

  /** Texts of an array; the driver writes those of numbers as they are. */
  private static Object[] elements(String text) {
    try {
      return JSON.readValue(text, String[].class);
    } catch (com.fasterxml.jackson.core.JsonProcessingException wrong) {
      throw new IllegalArgumentException(wrong);
    }
  }

  private static void bind(PreparedStatement to, int i, JsonNode parameter) throws SQLException {
    String text = parameter.path("value").asText();
    Calendar utc = Calendar.getInstance(TimeZone.getTimeZone(ZoneOffset.UTC));
    switch (parameter.get("bind").asText()) {
      case "null" -> to.setNull(i, Types.NULL);
      case "setString" -> to.setString(i, text);
      case "setBoolean" -> to.setBoolean(i, Boolean.parseBoolean(text));
      case "setByte" -> to.setByte(i, Byte.parseByte(text));
      case "setShort" -> to.setShort(i, Short.parseShort(text));
      case "setInt" -> to.setInt(i, Integer.parseInt(text));
      case "setLong" -> to.setLong(i, Long.parseLong(text));
      case "setFloat" -> to.setFloat(i, Float.parseFloat(text));
      case "setDouble" -> to.setDouble(i, Double.parseDouble(text));
      case "setBigDecimal" -> to.setBigDecimal(i, new BigDecimal(text));
      case "setBytes" -> to.setBytes(i, Base64.getDecoder().decode(text));
      case "setDate" -> to.setDate(i, new java.sql.Date(Long.parseLong(text)), utc);
      case "setTime" -> to.setTime(i, new java.sql.Time(Long.parseLong(text)), utc);
      case "setTimestamp" -> to.setTimestamp(i, new java.sql.Timestamp(Long.parseLong(text)), utc);
      case "LocalDate" -> to.setObject(i, LocalDate.parse(text));
      case "LocalTime" -> to.setObject(i, LocalTime.parse(text));
      case "LocalDateTime" -> to.setObject(i, LocalDateTime.parse(text));
      case "OffsetTime" -> to.setObject(i, OffsetTime.parse(text));
      case "OffsetDateTime" -> to.setObject(i, OffsetDateTime.parse(text), Types.TIMESTAMP_WITH_TIMEZONE);
      case "ZonedDateTime" -> to.setObject(i, ZonedDateTime.parse(text));
      case "array" -> to.setArray(i, to.getConnection().createArrayOf(parameter.get("element").asText(), elements(text)));
      case "UUID" -> to.setObject(i, UUID.fromString(text));
      default -> throw new IllegalArgumentException("expected a kind of bind, found " + parameter);
    }
  }
}
