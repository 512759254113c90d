import java.util.Arrays;

/** Runs the main class of its first argument, and ends the JVM in order when stdin ends: with the process that started it. */
public class Attached {
  public static void main(String[] args) throws Exception {
    Thread watchdog = new Thread(Attached::exitAfterStdin, "stdin");
    watchdog.setDaemon(true);
    watchdog.start();
    Class.forName(args[0])
        .getMethod("main", String[].class)
        .invoke(null, (Object) Arrays.copyOfRange(args, 1, args.length));
  }

  private static void exitAfterStdin() {
    try {
      while (System.in.read() >= 0) {}
    } catch (java.io.IOException ended) {
      // The pipe is gone, as its other end is.
    }
    System.exit(0);
  }
}
