import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3Configuration;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;

/**
 * The steps of the user story told by the AWS SDK for Java 2. One step a run: its name is the argument, its story is
 * JSON on standard input. The certificate authority comes from the trust store of the Java machine.
 */
public final class Steps {
  private interface Request {
    void send() throws Exception;
  }

  private final JsonNode story;
  private final S3Client s3;
  private final String bucket;
  private final byte[] small;

  public static void main(String[] args) throws Exception {
    if (args[0].equals("version")) {
      System.out.println(VersionInfo.SDK_VERSION);
      return;
    }
    try {
      new Steps(new ObjectMapper().readTree(System.in)).tell(args[0]);
    } catch (Exception | AssertionError failure) {
      for (Throwable cause = failure; cause != null; cause = cause.getCause()) System.err.println(cause);
      System.exit(1);
    }
  }

  private Steps(JsonNode story) throws IOException {
    this.story = story;
    s3 = connect("admin");
    bucket = text("bucket");
    small = Files.readAllBytes(file("small"));
  }

  private void tell(String step) throws Exception {
    switch (step) {
      case "make bucket" -> makeBucket();
      case "put" -> put();
      case "get" -> expectStored(s3, text("smallKey"), small);
      case "range get" -> rangeGet();
      case "put from a pipe" -> putFromAPipe();
      case "list" -> list();
      case "odd keys" -> oddKeys();
      case "multipart" -> multipart();
      case "copy" -> copy();
      case "delete many" -> deleteMany();
      case "presigned get" -> presignedGet();
      case "presigned put" -> presignedPut();
      case "denial" -> denial();
      case "wrong secret" -> wrongSecret();
      case "round trip" -> roundTrip();
      default -> throw new IllegalArgumentException("no step `" + step + "`");
    }
  }

  private StaticCredentialsProvider credentials(String who) {
    JsonNode keys = story.get(who);
    return StaticCredentialsProvider.create(
        AwsBasicCredentials.create(keys.get("accessKeyId").asText(), keys.get("secretAccessKey").asText()));
  }

  private S3Client connect(String who) {
    return S3Client.builder()
        .endpointOverride(URI.create(text("endpoint")))
        .region(Region.of(text("region")))
        .credentialsProvider(credentials(who))
        .forcePathStyle(true)
        .overrideConfiguration(c -> c.retryStrategy(DefaultRetryStrategy.doNotRetry()))
        .build();
  }

  private S3Presigner presigner() {
    return S3Presigner.builder()
        .endpointOverride(URI.create(text("endpoint")))
        .region(Region.of(text("region")))
        .credentialsProvider(credentials("admin"))
        .serviceConfiguration(S3Configuration.builder().pathStyleAccessEnabled(true).build())
        .build();
  }

  private void makeBucket() {
    s3.createBucket(b -> b.bucket(bucket));
    s3.headBucket(b -> b.bucket(bucket));
    expect("the bucket in the list", s3.listBuckets().buckets().stream().anyMatch(b -> b.name().equals(bucket)));
  }

  private void put() {
    String key = text("smallKey");
    s3.putObject(
        b -> b.bucket(bucket).key(key).contentType("text/plain").metadata(Map.of("origin", "contract")),
        RequestBody.fromFile(file("small")));
    var head = s3.headObject(b -> b.bucket(bucket).key(key));
    expect("the type", head.contentType().equals("text/plain"));
    expect("the metadata", head.metadata().equals(Map.of("origin", "contract")));
  }

  private void rangeGet() {
    int first = story.get("range").get("first").asInt();
    int last = story.get("range").get("last").asInt();
    var answer = s3.getObjectAsBytes(
        b -> b.bucket(bucket).key(text("smallKey")).range("bytes=" + first + "-" + last));
    expectSame(answer.asByteArrayUnsafe(), Arrays.copyOfRange(small, first, last + 1));
  }

  private void putFromAPipe() throws Exception {
    String key = text("pipedKey");
    s3.putObject(b -> b.bucket(bucket).key(key), RequestBody.fromInputStream(piped(small), small.length));
    expectStored(s3, key, small);
    byte[] big = Files.readAllBytes(file("big"));
    String inParts = "reports/piped-parts.bin";
    String upload = createUpload(inParts);
    List<CompletedPart> parts = new ArrayList<>();
    try (InputStream pipe = piped(big)) {
      for (byte[] part = pipe.readNBytes(partSize()); part.length > 0; part = pipe.readNBytes(partSize()))
        parts.add(uploadPart(inParts, upload, parts.size() + 1, part));
    }
    complete(inParts, upload, parts);
    expectStored(s3, inParts, big);
  }

  private void list() {
    List<String> keys = keys("reports/", 2);
    expect("the keys in order", keys.equals(inOrder(keys)));
    expect("both keys", keys.containsAll(List.of(text("smallKey"), text("pipedKey"))));
    var top = s3.listObjectsV2(b -> b.bucket(bucket).delimiter("/")).commonPrefixes();
    expect("`reports/` alone", top.size() == 1 && top.get(0).prefix().equals("reports/"));
  }

  private void oddKeys() {
    List<String> expected = inOrder(texts("oddKeys"));
    for (String key : expected) {
      s3.putObject(b -> b.bucket(bucket).key(key), RequestBody.fromString(key));
      expectStored(s3, key, key.getBytes(StandardCharsets.UTF_8));
    }
    List<String> found = keys("odd/", 1000);
    expect(expected + ", found " + found, found.equals(expected));
    for (String key : expected) {
      s3.deleteObject(b -> b.bucket(bucket).key(key));
      expectAbsent(key);
    }
  }

  private void multipart() throws IOException {
    String key = text("bigKey");
    byte[] big = Files.readAllBytes(file("big"));
    String upload = createUpload(key);
    List<CompletedPart> parts = new ArrayList<>();
    for (int start = 0; start < big.length; start += partSize()) {
      byte[] part = Arrays.copyOfRange(big, start, Math.min(big.length, start + partSize()));
      parts.add(uploadPart(key, upload, parts.size() + 1, part));
    }
    complete(key, upload, parts);
    expectStored(s3, key, big);
  }

  private void copy() throws IOException {
    String key = text("copyKey");
    s3.copyObject(b -> b
        .sourceBucket(bucket).sourceKey(text("smallKey"))
        .destinationBucket(bucket).destinationKey(key));
    expectStored(s3, key, small);
    copyInParts("copies/big.bin");
  }

  private void copyInParts(String key) throws IOException {
    byte[] big = Files.readAllBytes(file("big"));
    String upload = s3.createMultipartUpload(b -> b.bucket(bucket).key(key)).uploadId();
    List<CompletedPart> parts = new ArrayList<>();
    for (int start = 0; start < big.length; start += partSize()) {
      int number = parts.size() + 1;
      String range = "bytes=" + start + "-" + (Math.min(big.length, start + partSize()) - 1);
      var answer = s3.uploadPartCopy(b -> b
          .sourceBucket(bucket).sourceKey(text("bigKey")).copySourceRange(range)
          .destinationBucket(bucket).destinationKey(key)
          .uploadId(upload).partNumber(number));
      parts.add(CompletedPart.builder().partNumber(number).eTag(answer.copyPartResult().eTag()).build());
    }
    complete(key, upload, parts);
    expectStored(s3, key, big);
  }

  private void deleteMany() {
    List<ObjectIdentifier> objects = new ArrayList<>();
    for (String name : texts("manyNames")) {
      String key = text("manyPrefix") + name;
      s3.putObject(b -> b.bucket(bucket).key(key), RequestBody.fromString("x"));
      objects.add(ObjectIdentifier.builder().key(key).build());
    }
    var answer = s3.deleteObjects(b -> b.bucket(bucket).delete(d -> d.objects(objects)));
    expect("every key deleted", answer.deleted().size() == objects.size() && answer.errors().isEmpty());
    expect("none left", keys(text("manyPrefix"), 1000).isEmpty());
  }

  private void presignedGet() {
    try (S3Presigner presigner = presigner()) {
      System.out.println(presigner.presignGetObject(b -> b
          .signatureDuration(Duration.ofMinutes(1))
          .getObjectRequest(r -> r.bucket(bucket).key(text("smallKey")))).url());
    }
  }

  private void presignedPut() {
    try (S3Presigner presigner = presigner()) {
      System.out.println(presigner.presignPutObject(b -> b
          .signatureDuration(Duration.ofMinutes(1))
          .putObjectRequest(r -> r.bucket(bucket).key(text("presignedKey")))).url());
    }
  }

  private void denial() throws Exception {
    S3Client reader = connect("reader");
    expectStored(reader, text("smallKey"), small);
    expectRefused("AccessDenied", () -> attemptPut(reader));
    expectRefused("AccessDenied", () -> reader.deleteObject(b -> b.bucket(bucket).key(text("smallKey"))));
    expectAbsent(text("deniedKey"));
  }

  private void wrongSecret() throws Exception {
    S3Client forger = connect("forger");
    expectRefused("SignatureDoesNotMatch", () -> expectStored(forger, text("smallKey"), small));
    expectRefused("SignatureDoesNotMatch", () -> attemptPut(forger));
  }

  private void roundTrip() {
    JsonNode transfer = story.get("transfer");
    String key = transfer.get("key").asText();
    s3.putObject(b -> b.bucket(bucket).key(key), RequestBody.fromFile(Path.of(transfer.get("from").asText())));
    s3.getObject(b -> b.bucket(bucket).key(key), Path.of(transfer.get("to").asText()));
  }

  private void attemptPut(S3Client client) {
    client.putObject(b -> b.bucket(bucket).key(text("deniedKey")), RequestBody.fromString("x"));
  }

  private String createUpload(String key) {
    return s3.createMultipartUpload(b -> b.bucket(bucket).key(key).checksumAlgorithm(ChecksumAlgorithm.CRC32))
        .uploadId();
  }

  private CompletedPart uploadPart(String key, String upload, int number, byte[] bytes) {
    var answer = s3.uploadPart(
        b -> b.bucket(bucket).key(key).uploadId(upload).partNumber(number), RequestBody.fromBytes(bytes));
    return CompletedPart.builder()
        .partNumber(number).eTag(answer.eTag()).checksumCRC32(answer.checksumCRC32()).build();
  }

  private void complete(String key, String upload, List<CompletedPart> parts) {
    s3.completeMultipartUpload(
        b -> b.bucket(bucket).key(key).uploadId(upload).multipartUpload(m -> m.parts(parts)));
  }

  private List<String> keys(String prefix, int pageSize) {
    return s3.listObjectsV2Paginator(b -> b.bucket(bucket).prefix(prefix).maxKeys(pageSize)).stream()
        .map(ListObjectsV2Response::contents).flatMap(List::stream).map(S3Object::key).toList();
  }

  private void expectStored(S3Client client, String key, byte[] expected) {
    var answer = client.getObject(
        b -> b.bucket(bucket).key(key), ResponseTransformer.toBytes());
    expectSame(answer.asByteArrayUnsafe(), expected);
  }

  private void expectAbsent(String key) {
    try {
      s3.headObject(b -> b.bucket(bucket).key(key));
    } catch (NoSuchKeyException absent) {
      return;
    }
    throw new AssertionError("expected no `" + key + "`");
  }

  private static void expectRefused(String code, Request request) throws Exception {
    try {
      request.send();
    } catch (S3Exception refusal) {
      String found = refusal.awsErrorDetails().errorCode();
      expect(code + ", found " + found, found.equals(code) && refusal.statusCode() == 403);
      return;
    }
    throw new AssertionError("expected " + code + ", and it was allowed");
  }

  private static void expectSame(byte[] found, byte[] expected) {
    expect(expected.length + " bytes, found " + found.length + " or others", Arrays.equals(found, expected));
  }

  private static void expect(String what, boolean holds) {
    if (!holds) throw new AssertionError("expected " + what);
  }

  /** By the bytes of UTF-8, as S3 lists them; Java compares UTF-16. */
  private static List<String> inOrder(List<String> keys) {
    Comparator<String> byBytes =
        (a, b) -> Arrays.compareUnsigned(a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
    return keys.stream().sorted(byBytes).toList();
  }

  private static InputStream piped(byte[] bytes) throws IOException {
    PipedOutputStream writing = new PipedOutputStream();
    PipedInputStream reading = new PipedInputStream(writing);
    new Thread(() -> {
      try (writing) {
        writing.write(bytes);
      } catch (IOException broken) {
        throw new IllegalStateException(broken);
      }
    }).start();
    return reading;
  }

  private int partSize() {
    return story.get("partSize").asInt();
  }

  private String text(String name) {
    return story.get(name).asText();
  }

  private List<String> texts(String name) {
    List<String> found = new ArrayList<>();
    story.get(name).forEach(item -> found.add(item.asText()));
    return found;
  }

  private Path file(String name) {
    return Path.of(story.get("files").get(name).asText());
  }
}
