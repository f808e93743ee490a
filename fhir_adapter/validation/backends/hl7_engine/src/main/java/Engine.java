import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.hl7.fhir.r5.elementmodel.Manager.FhirFormat;
import org.hl7.fhir.r5.model.StructureDefinition;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;
import org.hl7.fhir.r5.utils.validation.constants.ReferenceValidationPolicy;
import org.hl7.fhir.utilities.validation.ValidationMessage;
import org.hl7.fhir.utilities.validation.ValidationMessage.IssueSeverity;
import org.hl7.fhir.utilities.validation.ValidationMessage.IssueType;
import org.hl7.fhir.utilities.validation.ValidationMessage.Source;
import org.hl7.fhir.validation.ValidationEngine;
import org.hl7.fhir.validation.instance.advisor.BasePolicyAdvisorForFullValidation;
import org.hl7.fhir.validation.service.model.InstanceValidatorParameters;

/**
 * HL7's validator as one long-lived process: asked on standard input, answering on standard output.
 *
 * <p>The first line says how to start: {"packages": [...], "strict_extensions": false}. Then each question is a line
 * {"profiles": [...], "length": n} and n bytes of JSON; each answer is one line {"issues": [...]} or {"failed": "..."}.
 * When it is ready it says {"ready": "..."}. It ends with its input.
 */
public final class Engine {
  private static final String CORE = "hl7.fhir.r4.core#4.0.1";
  private static final int LONGEST_LINE = 1 << 20;

  private final ValidationEngine engine;
  private final boolean strictExtensions;

  private Engine(JsonObject asked) throws Exception {
    strictExtensions = asked.has("strict_extensions") && asked.get("strict_extensions").getAsBoolean();
    engine = new ValidationEngine.ValidationEngineBuilder()
        .withVersion("4.0.1")
        .withNoTerminologyServer()
        .withCanRunWithoutTerminologyServer(true)
        .fromSource(CORE);
    for (String one : texts(asked, "packages")) {
      engine.getIgLoader().loadIg(engine.getIgs(), engine.getBinaries(), one, false);
    }
    engine.setAssumeValidRestReferences(true); // or a wrong type in the URL of a reference is not seen
    engine.setAnyExtensionsAllowed(!strictExtensions);
    // Else every reference is an error that leads out of the resource: nothing is fetched here.
    engine.setPolicyAdvisor(
        new BasePolicyAdvisorForFullValidation(ReferenceValidationPolicy.CHECK_TYPE_IF_EXISTS, Set.of()));
    engine.prepare();
  }

  private InstanceValidatorParameters parameters(List<String> profiles) {
    InstanceValidatorParameters wanted = new InstanceValidatorParameters();
    wanted.setAssumeValidRestReferences(true);
    wanted.setBestPracticeLevel(BestPracticeWarningLevel.Ignore);
    wanted.setProfiles(profiles);
    return wanted;
  }

  public static void main(String[] arguments) throws Exception {
    PrintStream answers = System.out;
    System.setOut(System.err); // what the engine says while it works is no answer
    DataInputStream questions = new DataInputStream(System.in);
    Engine engine;
    try {
      engine = new Engine(JsonParser.parseString(line(questions)).getAsJsonObject());
    } catch (Exception | Error error) {
      say(answers, "failed", error);
      return;
    }
    say(answers, "ready", ValidationEngine.class.getPackage().getImplementationVersion());
    for (String head = line(questions); head != null; head = line(questions)) {
      JsonObject question = JsonParser.parseString(head).getAsJsonObject();
      byte[] resource = new byte[question.get("length").getAsInt()];
      questions.readFully(resource);
      try {
        answers.println(new Gson().toJson(engine.answer(resource, texts(question, "profiles"))));
        answers.flush();
      } catch (Exception | StackOverflowError error) {
        say(answers, "failed", error);
      }
    }
  }

  private JsonObject answer(byte[] resource, List<String> profiles) throws Exception {
    List<ValidationMessage> found = new ArrayList<>();
    engine.getValidator(FhirFormat.JSON, parameters(profiles))
        .validate(null, found, new ByteArrayInputStream(resource), FhirFormat.JSON, structures(profiles, found));
    JsonArray issues = new JsonArray();
    for (ValidationMessage one : found) {
      issues.add(issue(one));
    }
    JsonObject answer = new JsonObject();
    answer.add("issues", issues);
    return answer;
  }

  /** The profiles to check beside those that the resource names; an unknown one is said, as HL7's own is. */
  private List<StructureDefinition> structures(List<String> profiles, List<ValidationMessage> found) {
    List<StructureDefinition> known = new ArrayList<>();
    for (String one : profiles) {
      StructureDefinition profile = engine.getContext().fetchResource(StructureDefinition.class, one);
      if (profile != null) {
        known.add(profile);
      } else {
        found.add(new ValidationMessage(Source.InstanceValidator, IssueType.NOTFOUND, "Resource",
            "Profile '" + one + "' has not been checked because it could not be found", IssueSeverity.WARNING));
      }
    }
    return known;
  }

  private static JsonObject issue(ValidationMessage found) {
    JsonObject issue = new JsonObject();
    issue.addProperty("severity", found.getLevel().toCode());
    issue.addProperty("kind", found.getType() == null ? null : found.getType().toCode());
    issue.addProperty("expression", found.getLocation());
    issue.addProperty("line", found.getLine());
    issue.addProperty("column", found.getCol());
    issue.addProperty("message", found.getMessage());
    issue.addProperty("id", found.getMessageId());
    issue.addProperty("rule", found.getInvId());
    return issue;
  }

  private static List<String> texts(JsonObject from, String name) {
    List<String> found = new ArrayList<>();
    if (from.has(name)) {
      for (JsonElement one : from.getAsJsonArray(name)) {
        found.add(one.getAsString());
      }
    }
    return found;
  }

  private static void say(PrintStream answers, String key, Object what) {
    JsonObject answer = new JsonObject();
    answer.addProperty(key, String.valueOf(what));
    answers.println(new Gson().toJson(answer));
    answers.flush();
  }

  /** The next line of bytes; null at the end of the input. */
  private static String line(DataInputStream input) throws IOException {
    var bytes = new ByteArrayOutputStream();
    for (int one = input.read(); one != '\n'; one = input.read()) {
      if (one < 0) {
        return bytes.size() == 0 ? null : bytes.toString(StandardCharsets.UTF_8);
      }
      if (bytes.size() > LONGEST_LINE) {
        throw new IOException("a line that is too long");
      }
      bytes.write(one);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
