import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** What DBeaver, DataGrip and Spark ask a server by JDBC, each in its order; test_jdbc_tools.py reads what it prints. */
public class JdbcTools {
    static final String[] SCALARS = {
        "getDatabaseProductName", "getDriverName", "getIdentifierQuoteString", "getSearchStringEscape", "getExtraNameCharacters", "getSchemaTerm",
        "getCatalogTerm", "getCatalogSeparator", "isCatalogAtStart", "supportsCatalogsInDataManipulation", "supportsCatalogsInTableDefinitions",
        "supportsSchemasInDataManipulation", "supportsMixedCaseIdentifiers", "supportsMixedCaseQuotedIdentifiers", "storesUpperCaseIdentifiers",
        "storesLowerCaseIdentifiers", "storesMixedCaseIdentifiers", "supportsSubqueriesInExists", "supportsUnion", "supportsUnionAll",
        "supportsFullOuterJoins", "supportsTransactions", "getDefaultTransactionIsolation", "supportsBatchUpdates", "supportsMultipleResultSets",
        "supportsGroupBy", "supportsOrderByUnrelated", "nullsAreSortedHigh", "supportsLikeEscapeClause", "supportsColumnAliasing",
        "supportsANSI92EntryLevelSQL", "supportsStoredProcedures", "supportsSelectForUpdate", "isReadOnly", "getMaxColumnNameLength",
        "getMaxStatementLength", "getSQLKeywords", "getNumericFunctions", "getStringFunctions", "getSystemFunctions", "getTimeDateFunctions",
        "getUserName", "getURL"
    };

    public static void main(String[] arguments) throws Exception {
        try (Connection connection = DriverManager.getConnection(arguments[0], "tool", "secret")) {
            System.out.println("== scalars");
            for (String name : SCALARS) {
                ask(connection.getMetaData(), name);
            }
            System.out.println("== dbeaver");
            dbeaver(connection);
            System.out.println("== datagrip");
            datagrip(connection);
            System.out.println("== limits");
            limits(connection);
            System.out.println("== large");
            for (int number = 1; number < arguments.length; number++) {
                large(connection, arguments[number]);
            }
        }
        System.out.println("== spark");
        spark(arguments[0]);
        System.out.println("== end");
    }

    /** Calls a method of the object by its name, and prints what it answers, a result set's rows one after another. */
    static void ask(Object object, String name, Object... arguments) throws Exception {
        Class<?> kind = object instanceof Connection ? Connection.class : object instanceof Statement ? Statement.class : DatabaseMetaData.class;
        for (Method method : kind.getMethods()) {
            if (method.getName().equals(name) && method.getParameterCount() == arguments.length) {
                try {
                    Object answer = method.invoke(object, arguments);
                    System.out.println(name + ": " + (answer instanceof ResultSet rows ? String.join("; ", lines(rows)) : answer));
                } catch (InvocationTargetException error) {
                    System.out.println(name + "! " + error.getCause());
                }
                return;
            }
        }
        throw new IllegalArgumentException(name);
    }

    static List<String> lines(ResultSet rows) throws SQLException {
        List<String> lines = new ArrayList<>();
        try (rows) {
            int columns = rows.getMetaData().getColumnCount();
            while (rows.next()) {
                List<String> cells = new ArrayList<>();
                for (int column = 1; column <= columns; column++) {
                    cells.add(String.valueOf(rows.getObject(column)));
                }
                lines.add(String.join("|", cells));
            }
        }
        return lines;
    }

    static void dbeaver(Connection connection) throws Exception {
        DatabaseMetaData metadata = connection.getMetaData();
        ask(connection, "isValid", 10);
        ask(connection, "getCatalog");
        ask(connection, "getSchema");
        ask(connection, "getAutoCommit");
        ask(connection, "getTransactionIsolation");
        ask(connection, "getWarnings");
        ask(metadata, "getTypeInfo");
        ask(metadata, "getCatalogs");
        ask(metadata, "getSchemas");
        ask(metadata, "getTableTypes");
        ask(metadata, "getTables", "volley", "main", "%", null);
        ask(metadata, "getColumns", "volley", "main", "big", "%");
        ask(metadata, "getPrimaryKeys", "volley", "main", "big");
        ask(metadata, "getIndexInfo", "volley", "main", "big", false, true);
        ask(metadata, "getImportedKeys", "volley", "main", "big");
        ask(metadata, "getExportedKeys", "volley", "main", "big");
        ask(metadata, "getProcedures", "volley", "main", "%");
        ask(metadata, "getFunctions", "volley", "main", "%");
        try (Statement statement = connection.createStatement()) {
            ask(statement, "setMaxRows", 2);
            ask(statement, "setFetchSize", 2);
            ask(statement, "setQueryTimeout", 20);
            ask(statement, "execute", "SELECT x.* FROM volley.main.big x ORDER BY x.i");
            ask(statement, "getResultSet");
            ask(statement, "getMoreResults");
            ask(statement, "getUpdateCount");
            ask(statement, "getWarnings");
            ask(statement, "executeQuery", "SELECT COUNT(*) FROM volley.main.big x");
        }
        ask(connection, "setAutoCommit", false);
        ask(connection, "commit");
        ask(connection, "rollback");
        ask(connection, "setAutoCommit", true);
    }

    static void datagrip(Connection connection) throws Exception {
        DatabaseMetaData metadata = connection.getMetaData();
        ask(metadata, "getSchemas", "volley", "%");
        ask(metadata, "getTables", "volley", "main", "%", new String[] {"TABLE", "VIEW", "SYSTEM TABLE", "MATERIALIZED VIEW"});
        ask(metadata, "getColumns", "volley", "main", "%", "i%");
        ask(metadata, "getVersionColumns", "volley", "main", "big");
        ask(metadata, "getBestRowIdentifier", "volley", "main", "big", 2, true);
        ask(metadata, "getUDTs", "volley", "main", "%", null);
        ask(metadata, "getProcedureColumns", "volley", "main", "%", "%");
        ask(metadata, "getFunctionColumns", "volley", "main", "%", "%");
        ask(metadata, "getTablePrivileges", "volley", "main", "big");
        ask(metadata, "getClientInfoProperties");
        try (Statement statement = connection.createStatement()) {
            ask(statement, "executeQuery", "SELECT t.* FROM volley.main.big t ORDER BY t.i LIMIT 3");
            ask(statement, "executeQuery", "select current_schema(), current_catalog()");
        }
    }

    /** A query that would run for an hour, ended by its time-out and by another thread; the connection is good for more. */
    static void limits(Connection connection) throws Exception {
        String endless = "SELECT count(*) AS jdbc FROM big AS a, big AS b WHERE a.i * b.i % 7919 = 7918";
        try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            ask(statement, "executeQuery", endless);
        }
        try (Statement statement = connection.createStatement()) {
            AtomicBoolean ended = new AtomicBoolean();
            Thread canceller = new Thread(() -> {
                try {
                    while (!ended.get()) {  // before the query has begun there is nothing to cancel
                        Thread.sleep(100);
                        statement.cancel();
                    }
                } catch (InterruptedException | SQLException error) {
                    System.out.println("cancel! " + error);
                }
            });
            canceller.start();
            ask(statement, "executeQuery", endless);
            ended.set(true);
            canceller.join();
        }
        try (Statement statement = connection.createStatement()) {
            ask(statement, "executeQuery", "SELECT 6 * 7");
        }
    }

    /** Rows, the sum of the first column, the bytes of the last. */
    static void large(Connection connection, String sql) throws SQLException {
        long count = 0;
        long sum = 0;
        long length = 0;
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            int last = rows.getMetaData().getColumnCount();
            while (rows.next()) {
                count++;
                sum += rows.getLong(1);
                length += rows.getString(last).getBytes(StandardCharsets.UTF_8).length;
            }
        }
        System.out.println(count + " " + sum + " " + length);
    }

    /** Spark finds out the schema by a query without rows, then reads each of its partitions by a connection of its own. */
    static void spark(String url) throws Exception {
        String query = "(SELECT i, s, i % 2 = 0 AS even, (i / 4)::DECIMAL(12, 2) AS price FROM big) SPARK_GEN_SUBQ_0";
        try (Connection connection = DriverManager.getConnection(url);
                PreparedStatement statement = connection.prepareStatement("SELECT * FROM " + query + " WHERE 1=0");
                ResultSet rows = statement.executeQuery()) {
            ResultSetMetaData metadata = rows.getMetaData();
            for (int column = 1; column <= metadata.getColumnCount(); column++) {
                System.out.println(metadata.getColumnLabel(column) + " " + metadata.getColumnType(column) + " " + metadata.getColumnTypeName(column)
                        + " " + metadata.getPrecision(column) + " " + metadata.getScale(column) + " " + metadata.isSigned(column) + " "
                        + (metadata.isNullable(column) != ResultSetMetaData.columnNoNulls));
            }
        }
        for (String part : new String[] {"\"i\" < 100000 or \"i\" is null", "\"i\" >= 100000 AND \"i\" < 300000", "\"i\" >= 300000"}) {
            String sql = "SELECT \"i\",\"s\",\"even\",\"price\" FROM " + query + " WHERE (\"i\" IS NOT NULL) AND (" + part + ")";
            try (Connection connection = DriverManager.getConnection(url);
                    PreparedStatement statement = connection.prepareStatement(sql, ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY)) {
                statement.setFetchSize(1000);
                statement.setQueryTimeout(0);
                long count = 0;
                long sum = 0;
                long even = 0;
                java.math.BigDecimal prices = java.math.BigDecimal.ZERO;
                try (ResultSet rows = statement.executeQuery()) {
                    while (rows.next()) {
                        count++;
                        sum += rows.getLong(1);
                        even += rows.getBoolean(3) ? 1 : 0;
                        prices = prices.add(rows.getBigDecimal(4));
                    }
                }
                System.out.println(count + " " + sum + " " + even + " " + prices);
            }
        }
    }
}
