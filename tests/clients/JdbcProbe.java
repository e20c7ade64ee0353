import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.Date;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/** What a JDBC program does with a server, one section after another; test_jdbc.py reads what it prints. */
public class JdbcProbe {
    interface Section {
        void run(Connection connection) throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        try (Connection connection = DriverManager.getConnection(arguments[0], new Properties())) {
            section(connection, "server", JdbcProbe::server);
            section(connection, "catalogs", c -> print(c.getMetaData().getCatalogs(), 1));
            section(connection, "schemas", c -> print(c.getMetaData().getSchemas(), 1, 2));
            section(connection, "table types", c -> print(c.getMetaData().getTableTypes(), 1));
            section(connection, "tables", c -> print(c.getMetaData().getTables(null, null, "%", null), 1, 2, 3, 4));
            section(connection, "tables like", c -> print(c.getMetaData().getTables("volley", "main", "k_nds", new String[] {"TABLE"}), 3));
            section(connection, "columns", c -> print(c.getMetaData().getColumns(null, null, "kinds", "%"), 4, 5, 6, 7, 9, 17, 18));
            section(connection, "keys", c -> print(c.getMetaData().getPrimaryKeys(null, null, "kinds"), 3, 4));
            section(connection, "foreign keys", c -> print(c.getMetaData().getImportedKeys(null, null, "kinds"), 3, 4));
            section(connection, "type info", c -> print(c.getMetaData().getTypeInfo(), 1, 2));
            section(connection, "column facts", JdbcProbe::columnFacts);
            section(connection, "conversions", JdbcProbe::conversions);
            section(connection, "statement", c -> query(c, "SELECT 6 * 7 AS answer"));
            section(connection, "many statements", JdbcProbe::manyStatements);
            section(connection, "kinds", c -> query(c, "SELECT * EXCLUDE (tz) FROM kinds ORDER BY 1"));
            section(connection, "other kinds", c -> query(c, arguments[1]));
            section(connection, "moment", JdbcProbe::moment);
            section(connection, "getters", JdbcProbe::getters);
            section(connection, "prepared", JdbcProbe::prepared);
            section(connection, "prepared without parameters", JdbcProbe::preparedPlain);
            section(connection, "prepared limit", JdbcProbe::preparedLimit);
            section(connection, "parameter kinds", JdbcProbe::parameterKinds);
            section(connection, "unknown parameter", JdbcProbe::unknownParameter);
            section(connection, "null parameter", JdbcProbe::nullParameter);
            section(connection, "big result", JdbcProbe::bigResult);
            section(connection, "closed early", JdbcProbe::closedEarly);
            section(connection, "bad syntax", c -> query(c, "SELECT FROM WHERE"));
            section(connection, "unknown table", c -> query(c, "SELECT * FROM nowhere"));
            section(connection, "bad cast", c -> query(c, "SELECT CAST('x' AS INTEGER)"));
            section(connection, "late error", c -> query(c, "SELECT CAST(CASE WHEN i = 399999 THEN 'x' ELSE '1' END AS INTEGER) AS n FROM big ORDER BY n"));
            section(connection, "write", JdbcProbe::write);
            section(connection, "after errors", c -> query(c, "SELECT 1 AS one"));
            section(connection, "empty", c -> query(c, "SELECT i FROM big WHERE i < 0"));
            section(connection, "max rows", JdbcProbe::maxRows);
            section(connection, "execute", JdbcProbe::execute);
            section(connection, "transaction", JdbcProbe::transaction);
            section(connection, "session", JdbcProbe::session);
            section(connection, "valid", c -> System.out.println(c.isValid(5) + " " + c.getAutoCommit() + " " + c.isReadOnly()));
        }
        System.out.println("== end");
    }

    static void section(Connection connection, String name, Section section) {
        System.out.println("== " + name);
        try {
            section.run(connection);
        } catch (SQLException error) {
            System.out.println("SQLException: " + error.getMessage().replace("\n", " / "));
        } catch (Throwable error) {
            System.out.println("FAILED " + error);
            error.printStackTrace();
        }
    }

    static void server(Connection connection) throws SQLException {
        DatabaseMetaData metadata = connection.getMetaData();
        System.out.println(metadata.getDatabaseProductName());
        System.out.println(metadata.getDatabaseProductVersion());
        System.out.println(metadata.isReadOnly());
        System.out.println(metadata.getIdentifierQuoteString());
        System.out.println(metadata.supportsGroupBy() + " " + metadata.supportsFullOuterJoins() + " " + metadata.supportsTransactions());
    }

    static void columnFacts(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery("SELECT id, dec, text, day, id + 1 AS next FROM kinds")) {
            ResultSetMetaData metadata = rows.getMetaData();
            for (int column = 1; column <= metadata.getColumnCount(); column++) {
                System.out.println(metadata.getColumnName(column) + " " + metadata.getPrecision(column) + " " + metadata.getScale(column) + " "
                        + metadata.isReadOnly(column) + " " + metadata.isSearchable(column) + " " + metadata.isCaseSensitive(column) + " "
                        + metadata.getCatalogName(column) + "." + metadata.getSchemaName(column) + "." + metadata.getTableName(column));
            }
        }
    }

    static void conversions(Connection connection) throws SQLException {
        DatabaseMetaData metadata = connection.getMetaData();
        System.out.println(metadata.supportsConvert() + " " + metadata.supportsConvert(java.sql.Types.INTEGER, java.sql.Types.VARCHAR) + " "
                + metadata.supportsConvert(java.sql.Types.DATE, java.sql.Types.TIMESTAMP) + " "
                + metadata.supportsConvert(java.sql.Types.DATE, java.sql.Types.INTEGER));
    }

    static void query(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            ResultSetMetaData metadata = rows.getMetaData();
            List<String> heads = new ArrayList<>();
            for (int column = 1; column <= metadata.getColumnCount(); column++) {
                heads.add(metadata.getColumnLabel(column) + " " + metadata.getColumnTypeName(column));
            }
            System.out.println(String.join("|", heads));
            int[] all = new int[metadata.getColumnCount()];
            for (int column = 1; column <= all.length; column++) {
                all[column - 1] = column;
            }
            print(rows, all);
        }
    }

    static void session(Connection connection) throws SQLException {
        String shown = "SELECT current_setting('TimeZone') AS z, TIMESTAMPTZ '2024-07-01 12:00:00+00'::VARCHAR AS t";
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET TimeZone = 'Asia/Kathmandu'");
            query(connection, shown);
            statement.execute("RESET ALL");
            query(connection, shown);
        }
    }

    static void print(ResultSet rows, int... columns) throws SQLException {
        while (rows.next()) {
            List<String> cells = new ArrayList<>();
            for (int column : columns) {
                Object value = rows.getObject(column);
                cells.add(value instanceof byte[] bytes ? java.util.HexFormat.of().formatHex(bytes) : String.valueOf(value));
            }
            System.out.println(String.join("|", cells));
        }
        rows.close();
    }

    static void manyStatements(Connection connection) throws SQLException {
        int total = 0;
        for (int number = 1; number <= 20; number++) {
            try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery("SELECT " + number)) {
                rows.next();
                total += rows.getInt(1);
            }
        }
        System.out.println(total);
    }

    static void getters(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(
                        "SELECT 7 AS i, 7.25 AS d, 'x' AS s, DATE '2024-02-29' AS day, TIMESTAMP '2024-02-29 12:30:00' AS at, NULL::INTEGER AS n, TRUE AS b, 5000000000 AS l")) {
            rows.next();
            System.out.println(rows.getInt("i") + " " + rows.getLong("l") + " " + rows.getBoolean("b"));
            System.out.println(rows.getBigDecimal("d") + " " + rows.getDouble("d"));
            System.out.println(rows.getString("s") + " " + rows.getString("i"));
            System.out.println(rows.getDate("day") + " " + rows.getTimestamp("at"));
            System.out.println(rows.getInt("n") + " " + rows.wasNull());
        }
    }

    static void moment(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery("SELECT tz FROM kinds ORDER BY id")) {
            rows.next();
            System.out.println(rows.getTimestamp(1).toInstant());
            rows.next();
            System.out.println(rows.getTimestamp(1));
        }
    }

    static void prepared(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT count(*), max(s) FROM big WHERE i < ? AND s <> ?")) {
            System.out.println(statement.getParameterMetaData().getParameterCount());
            for (int limit : new int[] {10, 1000}) {
                statement.setInt(1, limit);
                statement.setString(2, "row 9");
                try (ResultSet rows = statement.executeQuery()) {
                    rows.next();
                    System.out.println(rows.getLong(1) + " " + rows.getString(2));
                }
            }
        }
    }

    static void preparedPlain(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT count(*) FROM big")) {
            for (int round = 0; round < 2; round++) {
                print(statement.executeQuery(), 1);
            }
        }
    }

    static void preparedLimit(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT i FROM big ORDER BY i LIMIT ?")) {
            statement.setInt(1, 2);
            print(statement.executeQuery(), 1);
        }
    }

    static void parameterKinds(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT ? + 1, ? || '!', ?::BOOLEAN, ?::DATE, ?::TIMESTAMP, ?::DECIMAL(9, 2), ?::DOUBLE, ?::BLOB")) {
            statement.setLong(1, 5_000_000_000L);
            statement.setString(2, "grüß");
            statement.setBoolean(3, true);
            statement.setDate(4, Date.valueOf("2024-02-29"));
            statement.setTimestamp(5, Timestamp.valueOf("2024-02-29 12:30:00"));
            statement.setBigDecimal(6, new BigDecimal("12.34"));
            statement.setDouble(7, 0.5);
            statement.setBytes(8, new byte[] {0, (byte) 0xff});
            print(statement.executeQuery(), 1, 2, 3, 4, 5, 6, 7, 8);
        }
    }

    static void unknownParameter(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT ?")) {
            statement.setString(1, "text");
            print(statement.executeQuery(), 1);
            statement.setInt(1, 1);
            print(statement.executeQuery(), 1);
        }
    }

    static void nullParameter(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT coalesce(?, 'nothing')")) {
            statement.setNull(1, java.sql.Types.VARCHAR);
            print(statement.executeQuery(), 1);
        }
    }

    static void bigResult(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery("SELECT i, s FROM big")) {
            long count = 0;
            long sum = 0;
            while (rows.next()) {
                count++;
                sum += rows.getLong(1);
            }
            System.out.println(count + " " + sum);
        }
    }

    static void closedEarly(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery("SELECT a.i FROM big AS a, big AS b")) {
            rows.next();
            System.out.println("read one");
        }
    }

    static void write(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            System.out.println(statement.executeUpdate("CREATE TABLE t (i INTEGER)"));
        }
    }

    static void transaction(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        query(connection, "SELECT 1 AS one");
        connection.commit();
        query(connection, "SELECT 2 AS two");
        connection.rollback();
        connection.setAutoCommit(true);
        try (Statement statement = connection.createStatement()) {
            System.out.println(statement.execute("BEGIN") + " " + statement.execute("COMMIT"));
        }
    }

    static void maxRows(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.setMaxRows(3);
            print(statement.executeQuery("SELECT i FROM big ORDER BY i"), 1);
        }
    }

    static void execute(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            System.out.println(statement.execute("SHOW TABLES") + " " + statement.getUpdateCount());
            print(statement.getResultSet(), 1);
        }
    }
}
