import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.JDBCType;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Time;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.OffsetDateTime;
import java.time.Period;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Scanner;

/**
 * Runs each statement of the standard input, a line for each, with values of many kinds for its parameters, and prints what comes back. What the
 * driver refuses to bind is told as such; it is not sent.
 */
public class JdbcParameters {
    interface Binding {
        void bind(PreparedStatement statement, int place) throws SQLException;
    }

    static final Map<String, Binding> BINDINGS = new LinkedHashMap<>();

    static {
        Timestamp moment = Timestamp.valueOf("2024-02-29 12:30:00.25");
        BINDINGS.put("tinyint", (statement, place) -> statement.setByte(place, (byte) 5));
        BINDINGS.put("integer", (statement, place) -> statement.setInt(place, 5));
        BINDINGS.put("bigint", (statement, place) -> statement.setLong(place, 5));
        BINDINGS.put("negative", (statement, place) -> statement.setLong(place, -3));
        BINDINGS.put("ubigint", (statement, place) -> statement.setObject(place, new BigInteger("18446744073709551615")));
        BINDINGS.put("real", (statement, place) -> statement.setFloat(place, 2.5f));
        BINDINGS.put("double", (statement, place) -> statement.setDouble(place, 0.5));
        BINDINGS.put("decimal", (statement, place) -> statement.setBigDecimal(place, new BigDecimal("2.50")));
        BINDINGS.put("wide decimal", (statement, place) -> statement.setBigDecimal(place, new BigDecimal("2.5000000000")));
        BINDINGS.put("text", (statement, place) -> statement.setString(place, "it's"));
        BINDINGS.put("text of a number", (statement, place) -> statement.setString(place, "5"));
        BINDINGS.put("text of a day", (statement, place) -> statement.setObject(place, "2024-02-29"));
        BINDINGS.put("blob", (statement, place) -> statement.setBytes(place, new byte[] {0, '\'', (byte) 0xff}));
        BINDINGS.put("boolean", (statement, place) -> statement.setBoolean(place, true));
        BINDINGS.put("date", (statement, place) -> statement.setDate(place, Date.valueOf("2024-02-29")));
        BINDINGS.put("time", (statement, place) -> statement.setTime(place, Time.valueOf("12:30:00")));
        BINDINGS.put("timestamp", (statement, place) -> statement.setTimestamp(place, moment));
        BINDINGS.put("instant", (statement, place) -> statement.setObject(place, OffsetDateTime.parse("2024-02-29T12:30:00.25Z")));
        BINDINGS.put("interval", (statement, place) -> statement.setObject(place, Period.of(0, 1, 2)));
        BINDINGS.put("list",
                (statement, place) -> statement.setArray(place, statement.getConnection().createArrayOf("BIGINT", new Object[] {1L, 5L})));
        BINDINGS.put("null integer", (statement, place) -> statement.setNull(place, Types.BIGINT));
        BINDINGS.put("null", (statement, place) -> statement.setObject(place, null));
        BINDINGS.put("null as announced",
                (statement, place) -> statement.setNull(place, statement.getParameterMetaData().getParameterType(place)));
    }

    public static void main(String[] arguments) throws Exception {
        Scanner input = new Scanner(System.in, StandardCharsets.UTF_8);
        // Never closed: after values that it refused, the driver would complain of memory that it has not given back.
        Connection connection = DriverManager.getConnection(arguments[0], new Properties());
        while (input.hasNextLine()) {
            String sql = input.nextLine();
            System.out.println("== " + sql);
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                System.out.println(String.join(",", types(statement)));
                for (Map.Entry<String, Binding> kind : BINDINGS.entrySet()) {
                    System.out.println(kind.getKey() + ": " + answer(statement, kind.getValue()));
                }
            } catch (SQLException | RuntimeException error) {
                System.out.println("FAILED " + oneLine(error));
            }
        }
        System.out.println("== end");
        System.exit(0);
    }

    static List<String> types(PreparedStatement statement) throws SQLException {
        List<String> types = new ArrayList<>();
        for (int place = 1; place <= statement.getParameterMetaData().getParameterCount(); place++) {
            types.add(JDBCType.valueOf(statement.getParameterMetaData().getParameterType(place)).getName());
        }
        return types;
    }

    static String answer(PreparedStatement statement, Binding binding) {
        try {
            for (int place = 1; place <= statement.getParameterMetaData().getParameterCount(); place++) {
                binding.bind(statement, place);
            }
            return rows(statement);
        } catch (SQLException | RuntimeException error) {
            return (fromServer(error) ? "FAILED " : "UNBOUND ") + oneLine(error);
        }
    }

    /** Whether the server has refused, not the driver before anything was sent. */
    static boolean fromServer(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause.getClass().getName().contains("FlightRuntimeException")) {
                return true;
            }
        }
        return false;
    }

    static String oneLine(Throwable error) {
        return String.valueOf(error.getMessage()).replace('\n', ' ');
    }

    static String rows(PreparedStatement statement) throws SQLException {
        List<String> rows = new ArrayList<>();
        try (ResultSet result = statement.executeQuery()) {
            while (result.next()) {
                List<String> cells = new ArrayList<>();
                for (int column = 1; column <= result.getMetaData().getColumnCount(); column++) {
                    cells.add(String.valueOf(result.getString(column)));
                }
                rows.add(String.join("|", cells));
            }
        }
        return String.join(";", rows);
    }
}
