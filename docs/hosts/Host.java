// A host in Java: members of a connector, through the command `smp-harness`.
import java.io.File;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

public class Host {
    /** A run that gave no complete list. The message is the line with the error, as JSON. */
    public static class Failed extends Exception {
        Failed(String line) {
            super(line);
        }
    }

    /** Hands over each member, as a line of JSON. They count only if this returns. */
    static void members(Consumer<String> each, String... connectorAndSource) throws Exception {
        List<String> command = new ArrayList<>(List.of(
            System.getenv().getOrDefault("SMP_HARNESS", "smp-harness"), "collect"));
        command.addAll(List.of(connectorAndSource));
        command.addAll(List.of("--format", "ndjson", "--json"));
        File said = File.createTempFile("smp-harness", ".err");
        try {
            Process run = new ProcessBuilder(command).redirectError(said).start();
            try (var lines = run.inputReader(java.nio.charset.StandardCharsets.UTF_8)) {
                lines.lines().forEach(each);
            }
            if (run.waitFor() != 0) {
                List<String> all = Files.readAllLines(said.toPath());
                throw new Failed(all.get(all.size() - 1));
            }
        } finally {
            said.delete();
        }
    }

    public static void main(String[] arguments) throws Exception {
        var out = new java.io.PrintStream(System.out, false, "UTF-8");
        try {
            members(out::println, arguments);
        } catch (Failed failed) {
            System.err.println(failed.getMessage());
            System.exit(1);
        } finally {
            out.flush();
        }
    }
}
