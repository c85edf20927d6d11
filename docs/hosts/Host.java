// A host in Java: members of a connector, through the command `smp-harness`.
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Pattern;

public class Host {
    /** How long a run that is left early may take to stop, in seconds. The command takes some 5. */
    static final int PATIENCE = 10;
    /** What is read of standard error, from its end, in bytes. The last line is far shorter. */
    static final int TAIL = 1 << 20;
    static final Pattern ERROR =
        Pattern.compile("\\{\"error\":\\{.*?\"code\":\"[^\"]+\",\"message\":\".*", Pattern.DOTALL);

    /** A run that gave no complete list. The message is the line with the error, as JSON. */
    public static class Failed extends Exception {
        Failed(String line) {
            super(line);
        }

        /** What the command could not say itself. */
        static Failed other(String message) {
            String text = message.replaceAll("\\p{Cntrl}", " ").replace("\\", "\\\\")
                .replace("\"", "\\\"");
            return new Failed("{\"error\":{\"code\":\"other\",\"message\":\"" + text
                + "\",\"hint\":null,\"retryable\":false,\"setting\":null,\"vendor_code\":null,"
                + "\"retry_after_s\":null}}");
        }
    }

    /**
     * Hands over each member, as a line of JSON. They count only if this returns; to leave early,
     * throw. `env` has variables of the command alone: the secret for `--secret KEY=env:NAME`.
     */
    static void members(
            Consumer<String> each, Map<String, String> env, String... connectorAndSource)
            throws Failed, IOException, InterruptedException {
        String named = System.getenv().getOrDefault("SMP_HARNESS", "");
        List<String> command =
            new ArrayList<>(List.of(named.isEmpty() ? "smp-harness" : named, "collect"));
        command.addAll(List.of(connectorAndSource));
        // An option is given once, so a source that sends the list elsewhere is refused.
        command.addAll(List.of("--format", "ndjson", "--output", "-", "--json"));
        Path said = Files.createTempFile("smp-harness", ".err");
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectError(said.toFile())
                .redirectInput(new File("/dev/null"));
            builder.environment().putAll(env);
            Process run;
            try {
                run = builder.start();
            } catch (IOException error) {
                throw Failed.other("the command cannot be started: " + error.getMessage());
            }
            boolean isWhole;
            try {
                isWhole = read(run, each);
                run.waitFor();
            } finally {
                run.destroy();
                try {
                    run.waitFor(PATIENCE, TimeUnit.SECONDS);
                } finally {
                    run.destroyForcibly();
                }
            }
            String last = lastLine(said);
            if (isObject(last) && ERROR.matcher(last).matches()) {
                throw new Failed(last);
            }
            if (run.exitValue() != 0) {
                throw Failed.other(
                    "the command ended with " + run.exitValue() + ", and did not say why");
            }
            if (!isWhole) {
                throw Failed.other("the command's last line is not whole");
            }
        } finally {
            Files.delete(said);
        }
    }

    /** Hands over each line. False if the last one has no end. */
    static boolean read(Process run, Consumer<String> each) throws Failed, IOException {
        // Unlike a charset, a decoder does not replace what it cannot read.
        var utf8 = StandardCharsets.UTF_8.newDecoder();
        StringBuilder line = new StringBuilder();
        try (var output = new BufferedReader(new InputStreamReader(run.getInputStream(), utf8))) {
            for (int sign = output.read(); sign >= 0; sign = output.read()) {
                if (sign != '\n') {
                    line.append((char) sign);
                    continue;
                }
                if (!isObject(line)) {
                    throw Failed.other("the command wrote a line that is no member");
                }
                each.accept(line.toString());
                line.setLength(0);
            }
        } catch (CharacterCodingException error) {
            throw Failed.other("the command wrote a line that is no member");
        }
        return line.isEmpty();
    }

    /** Whether a text is one object, by its braces: Java brings no parser of JSON along. */
    static boolean isObject(CharSequence text) {
        int open = 0;
        boolean isText = false;
        for (int at = 0; at < text.length(); at++) {
            char sign = text.charAt(at);
            if (isText && sign == '\\') {
                at++;
            } else if (sign == '"') {
                isText = !isText;
            } else if (!isText && sign == '{') {
                open++;
            } else if (!isText && sign == '}') {
                open--;
            }
            if (open == 0) {
                return at > 0 && at == text.length() - 1;
            }
        }
        return false;
    }

    static String lastLine(Path file) throws IOException {
        try (var said = new RandomAccessFile(file.toFile(), "r")) {
            said.seek(Math.max(0, said.length() - TAIL));
            byte[] tail = new byte[(int) (said.length() - said.getFilePointer())];
            said.readFully(tail);
            String text = new String(tail, StandardCharsets.UTF_8).strip();
            return text.substring(text.lastIndexOf('\n') + 1);
        }
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 0) {
            System.err.println("usage: java Host.java CONNECTOR.wasm SOURCE...");
            System.exit(2);
        }
        var out = new PrintStream(System.out, false, "UTF-8");
        try {
            members(out::println, Map.of(), arguments);
        } catch (Failed failed) {
            new PrintStream(System.err, true, "UTF-8").println(failed.getMessage());
            System.exit(1);
        } finally {
            out.flush();
        }
    }
}
