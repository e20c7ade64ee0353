import java.math.BigDecimal;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Scanner;

/** Runs each statement of the standard input, a line for each, with a value of the announced type for each parameter, and with NULL. */
public class JdbcParameters {
    public static void main(String[] arguments) throws Exception {
        Scanner input = new Scanner(System.in, StandardCharsets.UTF_8);
        try (Connection connection = DriverManager.getConnection(arguments[0], new Properties())) {
            while (input.hasNextLine()) {
                String sql = input.nextLine();
                System.out.println("== " + sql);
                try (PreparedStatement statement = connection.prepareStatement(sql)) {
                    System.out.println(String.join(",", types(statement)));
                    run(statement, false);
                    run(statement, true);
                } catch (SQLException | RuntimeException error) {
                    System.out.println("FAILED " + String.valueOf(error.getMessage()).replace('\n', ' '));
                }
            }
        }
    }

    static List<String> types(PreparedStatement statement) throws SQLException {
        List<String> types = new ArrayList<>();
        for (int place = 1; place <= statement.getParameterMetaData().getParameterCount(); place++) {
            types.add(JDBCType.valueOf(statement.getParameterMetaData().getParameterType(place)).getName());
        }
        return types;
    }

    static void run(PreparedStatement statement, boolean nulls) throws SQLException {
        try {
            for (int place = 1; place <= statement.getParameterMetaData().getParameterCount(); place++) {
                bind(statement, place, statement.getParameterMetaData().getParameterType(place), nulls);
            }
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
            System.out.println((nulls ? "null: " : "value: ") + String.join(";", rows));
        } catch (SQLException | RuntimeException error) {
            System.out.println((nulls ? "null" : "value") + " FAILED " + String.valueOf(error.getMessage()).replace('\n', ' '));
        }
    }

    static void bind(PreparedStatement statement, int place, int type, boolean nulls) throws SQLException {
        if (nulls) {
            statement.setNull(place, type);
            return;
        }
        switch (type) {
            case Types.BIGINT -> statement.setLong(place, 5);
            case Types.DOUBLE -> statement.setDouble(place, 0.5);
            case Types.DECIMAL -> statement.setBigDecimal(place, new BigDecimal("2.50"));
            case Types.BOOLEAN, Types.BIT -> statement.setBoolean(place, true);
            case Types.DATE -> statement.setDate(place, Date.valueOf("2024-02-29"));
            case Types.TIME -> statement.setTime(place, Time.valueOf("12:30:00"));
            case Types.TIMESTAMP, Types.TIMESTAMP_WITH_TIMEZONE -> statement.setTimestamp(place, Timestamp.valueOf("2024-02-29 12:30:00.25"));
            case Types.ARRAY -> statement.setArray(place, statement.getConnection().createArrayOf("BIGINT", new Object[] {5L}));
            case Types.VARBINARY -> statement.setBytes(place, new byte[] {0, (byte) 0xff});
            default -> statement.setString(place, "5");
        }
    }
}
