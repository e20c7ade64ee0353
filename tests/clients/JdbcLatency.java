import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;

/** Prints how many milliseconds each of so many small statements takes to be asked and read. */
public class JdbcLatency {
    static final int WARM_UP = 10;

    public static void main(String[] arguments) throws Exception {
        try (Connection connection = DriverManager.getConnection(arguments[0]); Statement statement = connection.createStatement()) {
            for (int number = 0; number < Integer.parseInt(arguments[1]) + WARM_UP; number++) {
                long start = System.nanoTime();
                try (ResultSet rows = statement.executeQuery("SELECT 1")) {
                    while (rows.next()) {
                        rows.getInt(1);
                    }
                }
                if (number >= WARM_UP) {
                    System.out.println((System.nanoTime() - start) / 1e6);
                }
            }
        }
    }
}
