# frozen_string_literal: true

# The steps of the user story told by the AWS SDK for Ruby. One step a run: its name is the argument, its story is JSON
# on standard input.

require 'aws-sdk-s3'
require 'json'

STORY = JSON.parse($stdin.read, symbolize_names: true)
BUCKET = STORY[:bucket]
FILES = STORY[:files]

def client(credentials)
  Aws::S3::Client.new(
    endpoint: STORY[:endpoint],
    region: STORY[:region],
    credentials: Aws::Credentials.new(credentials[:accessKeyId], credentials[:secretAccessKey]),
    force_path_style: true,
    retry_mode: 'standard',
    max_attempts: 1,
    **(STORY[:caFile] ? { ssl_ca_bundle: STORY[:caFile] } : {})
  )
end

S3 = client(STORY[:admin])
SMALL = File.binread(FILES[:small])

def object(key)
  Aws::S3::Object.new(BUCKET, key, client: S3)
end

def check(what, condition)
  raise "expected #{what}" unless condition
end

def same(key, expected)
  found = S3.get_object(bucket: BUCKET, key: key).body.read
  check("#{expected.bytesize} bytes, found #{found.bytesize} or others", found.b == expected.b)
end

def refused(code)
  yield
rescue Aws::S3::Errors::ServiceError => e
  check("#{code}, found #{e.code}", e.code == code && e.context.http_response.status_code == 403)
else
  raise "expected #{code}, and it was allowed"
end

def keys(prefix, page_size = 1000)
  S3.list_objects_v2(bucket: BUCKET, prefix: prefix, max_keys: page_size).flat_map { |page| page.contents.map(&:key) }
end

STEPS = {
  'make bucket' => lambda do
    S3.create_bucket(bucket: BUCKET)
    S3.head_bucket(bucket: BUCKET)
    check('the bucket in the list', S3.list_buckets.buckets.map(&:name).include?(BUCKET))
  end,
  'put' => lambda do
    options = { content_type: 'text/plain', metadata: { 'origin' => 'contract' } }
    check('an upload', object(STORY[:smallKey]).upload_file(FILES[:small], **options))
    head = S3.head_object(bucket: BUCKET, key: STORY[:smallKey])
    check('the type', head.content_type == 'text/plain')
    check('the metadata', head.metadata == { 'origin' => 'contract' })
  end,
  'get' => lambda do
    path = File.join(STORY[:folder], 'small.txt')
    object(STORY[:smallKey]).download_file(path)
    check('the same file', File.binread(path) == SMALL)
  end,
  'range get' => lambda do
    first, last = STORY[:range].values_at(:first, :last)
    found = S3.get_object(bucket: BUCKET, key: STORY[:smallKey], range: "bytes=#{first}-#{last}").body.read
    check('the range', found == SMALL[first..last])
  end,
  'put from a pipe' => lambda do
    { STORY[:pipedKey] => SMALL, 'reports/piped-parts.bin' => File.binread(FILES[:big]) }.each do |key, data|
      object(key).upload_stream { |pipe| pipe.binmode.write(data) }
      same(key, data)
    end
  end,
  'list' => lambda do
    found = keys('reports/', 2)
    check("the keys in order, found #{found}", found == found.sort)
    check('both keys', [STORY[:smallKey], STORY[:pipedKey]].all? { |key| found.include?(key) })
    top = S3.list_objects_v2(bucket: BUCKET, delimiter: '/').common_prefixes.map(&:prefix)
    check("`reports/` alone, found #{top}", top == ['reports/'])
  end,
  'odd keys' => lambda do
    STORY[:oddKeys].each do |key|
      S3.put_object(bucket: BUCKET, key: key, body: key)
      same(key, key)
    end
    found = keys('odd/')
    check("every key, found #{found}", found == STORY[:oddKeys].sort)
    STORY[:oddKeys].each do |key|
      S3.delete_object(bucket: BUCKET, key: key)
      check("no `#{key}`", !object(key).exists?)
    end
  end,
  'multipart' => lambda do
    object(STORY[:bigKey]).upload_file(FILES[:big], multipart_threshold: STORY[:partSize])
    path = File.join(STORY[:folder], 'big.bin')
    object(STORY[:bigKey]).download_file(path, chunk_size: STORY[:partSize])
    check('the same file', File.binread(path) == File.binread(FILES[:big]))
  end,
  'copy' => lambda do
    object(STORY[:copyKey]).copy_from(bucket: BUCKET, key: STORY[:smallKey])
    same(STORY[:copyKey], SMALL)
    # In parts: UploadPartCopy.
    source = { bucket: BUCKET, key: STORY[:bigKey], multipart_copy: true, min_part_size: STORY[:partSize] }
    object('copies/big.bin').copy_from(source, multipart_copy: true, min_part_size: STORY[:partSize])
    same('copies/big.bin', File.binread(FILES[:big]))
    check('three parts', S3.head_object(bucket: BUCKET, key: 'copies/big.bin').etag.end_with?('-3"'))
  end,
  'delete many' => lambda do
    names = STORY[:manyNames].map { |name| STORY[:manyPrefix] + name }
    names.each { |key| S3.put_object(bucket: BUCKET, key: key, body: 'x') }
    answer = S3.delete_objects(bucket: BUCKET, delete: { objects: names.map { |key| { key: key } } })
    check("every key, found #{answer.deleted}", answer.deleted.map(&:key).sort == names.sort)
    check('none left', keys(STORY[:manyPrefix]).empty?)
  end,
  'presigned get' => -> { puts object(STORY[:smallKey]).presigned_url(:get, expires_in: 60) },
  'presigned put' => -> { puts object(STORY[:presignedKey]).presigned_url(:put, expires_in: 60) },
  'denial' => lambda do
    reader = client(STORY[:reader])
    check('the allowed read', reader.get_object(bucket: BUCKET, key: STORY[:smallKey]).body.read == SMALL)
    refused('AccessDenied') { reader.put_object(bucket: BUCKET, key: STORY[:deniedKey], body: 'x') }
    refused('AccessDenied') { reader.delete_object(bucket: BUCKET, key: STORY[:smallKey]) }
    check('nothing stored', !object(STORY[:deniedKey]).exists?)
  end,
  'wrong secret' => lambda do
    forger = client(STORY[:forger])
    refused('SignatureDoesNotMatch') { forger.get_object(bucket: BUCKET, key: STORY[:smallKey]) }
    refused('SignatureDoesNotMatch') { forger.put_object(bucket: BUCKET, key: STORY[:deniedKey], body: 'x') }
  end,
  'round trip' => lambda do
    from, key, to = STORY[:transfer].values_at(:from, :key, :to)
    object(key).upload_file(from)
    object(key).download_file(to)
  end
}.freeze

STEPS.fetch(ARGV.fetch(0)).call
