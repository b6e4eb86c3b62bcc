//! The steps of the user story told by the AWS SDK for Rust. One step a run: its name is the argument, its story is
//! JSON on standard input.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::ChecksumAlgorithm::{self, Crc32};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use serde_json::Value;

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let step = std::env::args().nth(1).ok_or("which step?")?;
    if step == "version" {
        println!("{}", aws_sdk_s3::meta::PKG_VERSION);
        return Ok(());
    }
    let story = Story(serde_json::from_reader(std::io::stdin())?);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(story.tell(&step))
}

struct Story(Value);

impl Story {
    async fn tell(&self, step: &str) -> Outcome {
        let client = self.connect("admin")?;
        match step {
            "make bucket" => self.make_bucket(&client).await,
            "put" => self.put(&client).await,
            "get" => self.get(&client).await,
            "range get" => self.range_get(&client).await,
            "put from a pipe" => self.put_from_a_pipe(&client).await,
            "list" => self.list(&client).await,
            "odd keys" => self.odd_keys(&client).await,
            "multipart" => self.multipart(&client).await,
            "copy" => self.copy(&client).await,
            "delete many" => self.delete_many(&client).await,
            "presigned get" => self.presigned_get(&client).await,
            "presigned put" => self.presigned_put(&client).await,
            "denial" => self.denial(&client).await,
            "wrong secret" => self.wrong_secret().await,
            "round trip" => self.round_trip(&client).await,
            other => Err(format!("no step `{other}`").into()),
        }
    }

    fn connect(&self, who: &str) -> Result<Client, Box<dyn Error>> {
        let keys = &self.0[who];
        let credentials = Credentials::new(
            text(&keys["accessKeyId"]),
            text(&keys["secretAccessKey"]),
            None,
            None,
            "story",
        );
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(self.text("endpoint"))
            .region(Region::new(self.text("region").to_owned()))
            .force_path_style(true)
            .credentials_provider(credentials)
            .retry_config(RetryConfig::disabled());
        let config = match self.0["caFile"].as_str() {
            None => config.http_client(Builder::new().build_http()),
            Some(path) => {
                let trusted = TrustStore::empty().with_pem_certificate(fs::read(path)?);
                let context = TlsContext::builder().with_trust_store(trusted).build()?;
                let provider = Provider::Rustls(CryptoMode::Ring);
                config.http_client(
                    Builder::new()
                        .tls_provider(provider)
                        .tls_context(context)
                        .build_https(),
                )
            }
        };
        Ok(Client::from_conf(config.build()))
    }

    async fn make_bucket(&self, client: &Client) -> Outcome {
        let bucket = self.text("bucket");
        client.create_bucket().bucket(bucket).send().await?;
        client.head_bucket().bucket(bucket).send().await?;
        let listed = client.list_buckets().send().await?;
        expect(
            "the bucket in the list",
            listed
                .buckets()
                .iter()
                .any(|found| found.name() == Some(bucket)),
        )
    }

    async fn put(&self, client: &Client) -> Outcome {
        let (bucket, key) = (self.text("bucket"), self.text("smallKey"));
        client
            .put_object()
            .bucket(bucket)
            .key(key)
            .content_type("text/plain")
            .metadata("origin", "contract")
            .body(ByteStream::from_path(self.file("small")).await?)
            .send()
            .await?;
        let head = client.head_object().bucket(bucket).key(key).send().await?;
        expect("the type", head.content_type() == Some("text/plain"))?;
        let origin = head.metadata().and_then(|metadata| metadata.get("origin"));
        expect(
            "the metadata",
            origin.is_some_and(|found| found == "contract"),
        )
    }

    async fn get(&self, client: &Client) -> Outcome {
        let small = fs::read(self.file("small"))?;
        self.expect_stored(client, self.text("smallKey"), &small)
            .await
    }

    async fn range_get(&self, client: &Client) -> Outcome {
        let range = &self.0["range"];
        let (first, last) = (number(&range["first"]), number(&range["last"]));
        let answer = client
            .get_object()
            .bucket(self.text("bucket"))
            .key(self.text("smallKey"))
            .range(format!("bytes={first}-{last}"))
            .send()
            .await?;
        let small = fs::read(self.file("small"))?;
        let found = answer.body.collect().await?.to_vec();
        expect("the range", found == small[first as usize..=last as usize])
    }

    /// This SDK wants to know the length of a body, so that a pipe is read in parts.
    async fn put_from_a_pipe(&self, client: &Client) -> Outcome {
        let key = self.text("pipedKey");
        let small = fs::read(self.file("small"))?;
        let (mut reading, mut writing) = std::io::pipe()?;
        let data = small.clone();
        let feed = std::thread::spawn(move || std::io::Write::write_all(&mut writing, &data));
        let mut part = Vec::new();
        std::io::Read::read_to_end(&mut reading, &mut part)?;
        feed.join().map_err(|_| "the pipe broke")??;
        let upload = self.create_upload(client, key, Some(Crc32)).await?;
        let parts = vec![
            self.upload_part(client, key, &upload, 1, part.into())
                .await?,
        ];
        self.complete_upload(client, key, &upload, parts).await?;
        self.expect_stored(client, key, &small).await
    }

    async fn list(&self, client: &Client) -> Outcome {
        let keys = self.keys(client, "reports/", 2).await?;
        expect("the keys in order", keys.is_sorted())?;
        for key in [self.text("smallKey"), self.text("pipedKey")] {
            expect(key, keys.iter().any(|found| found == key))?;
        }
        let top = client
            .list_objects_v2()
            .bucket(self.text("bucket"))
            .delimiter("/")
            .send()
            .await?;
        let prefixes: Vec<_> = top
            .common_prefixes()
            .iter()
            .map(|found| found.prefix())
            .collect();
        expect("`reports/` alone", prefixes == [Some("reports/")])
    }

    async fn odd_keys(&self, client: &Client) -> Outcome {
        let bucket = self.text("bucket");
        let mut expected = self.texts("oddKeys");
        for &key in &expected {
            let body = ByteStream::from(key.as_bytes().to_vec());
            client
                .put_object()
                .bucket(bucket)
                .key(key)
                .body(body)
                .send()
                .await?;
            self.expect_stored(client, key, key.as_bytes()).await?;
        }
        expected.sort_unstable();
        let found = self.keys(client, "odd/", 1000).await?;
        expect(&format!("{expected:?}, found {found:?}"), found == expected)?;
        for key in expected {
            client
                .delete_object()
                .bucket(bucket)
                .key(key)
                .send()
                .await?;
            self.expect_absent(client, key).await?;
        }
        Ok(())
    }

    async fn multipart(&self, client: &Client) -> Outcome {
        let key = self.text("bigKey");
        let size = fs::metadata(self.file("big"))?.len();
        let upload = self.create_upload(client, key, Some(Crc32)).await?;
        let mut parts = Vec::new();
        for (start, length) in self.ranges(size) {
            let body = ByteStream::read_from()
                .path(self.file("big"))
                .offset(start)
                .length(Length::Exact(length))
                .build()
                .await?;
            let number = parts.len() as i32 + 1;
            parts.push(self.upload_part(client, key, &upload, number, body).await?);
        }
        self.complete_upload(client, key, &upload, parts).await?;
        self.expect_stored(client, key, &fs::read(self.file("big"))?)
            .await
    }

    async fn copy(&self, client: &Client) -> Outcome {
        let key = self.text("copyKey");
        client
            .copy_object()
            .bucket(self.text("bucket"))
            .key(key)
            .copy_source(self.copy_source("smallKey"))
            .send()
            .await?;
        self.expect_stored(client, key, &fs::read(self.file("small"))?)
            .await?;
        self.copy_in_parts(client, "copies/big.bin").await
    }

    async fn copy_in_parts(&self, client: &Client, key: &str) -> Outcome {
        let big = fs::read(self.file("big"))?;
        let upload = self.create_upload(client, key, None).await?;
        let mut parts = Vec::new();
        for (start, length) in self.ranges(big.len() as u64) {
            let number = parts.len() as i32 + 1;
            let answer = client
                .upload_part_copy()
                .bucket(self.text("bucket"))
                .key(key)
                .upload_id(&upload)
                .part_number(number)
                .copy_source(self.copy_source("bigKey"))
                .copy_source_range(format!("bytes={start}-{}", start + length - 1))
                .send()
                .await?;
            let etag = answer.copy_part_result().and_then(|result| result.e_tag());
            parts.push(completed(number, etag));
        }
        self.complete_upload(client, key, &upload, parts).await?;
        self.expect_stored(client, key, &big).await
    }

    async fn delete_many(&self, client: &Client) -> Outcome {
        let (bucket, prefix) = (self.text("bucket"), self.text("manyPrefix"));
        let mut objects = Vec::new();
        for name in self.texts("manyNames") {
            let key = format!("{prefix}{name}");
            let body = ByteStream::from_static(b"x");
            client
                .put_object()
                .bucket(bucket)
                .key(&key)
                .body(body)
                .send()
                .await?;
            objects.push(ObjectIdentifier::builder().key(key).build()?);
        }
        let count = objects.len();
        let delete = Delete::builder().set_objects(Some(objects)).build()?;
        let answer = client
            .delete_objects()
            .bucket(bucket)
            .delete(delete)
            .send()
            .await?;
        expect(
            "every key deleted",
            answer.deleted().len() == count && answer.errors().is_empty(),
        )?;
        expect(
            "none left",
            self.keys(client, prefix, 1000).await?.is_empty(),
        )
    }

    async fn presigned_get(&self, client: &Client) -> Outcome {
        let request = client
            .get_object()
            .bucket(self.text("bucket"))
            .key(self.text("smallKey"))
            .presigned(PresigningConfig::expires_in(Duration::from_secs(60))?)
            .await?;
        println!("{}", request.uri());
        Ok(())
    }

    async fn presigned_put(&self, client: &Client) -> Outcome {
        let request = client
            .put_object()
            .bucket(self.text("bucket"))
            .key(self.text("presignedKey"))
            .presigned(PresigningConfig::expires_in(Duration::from_secs(60))?)
            .await?;
        println!("{}", request.uri());
        Ok(())
    }

    async fn denial(&self, client: &Client) -> Outcome {
        let reader = self.connect("reader")?;
        self.get(&reader).await?;
        refused("AccessDenied", self.attempt_put(&reader).await)?;
        let request = reader.delete_object().bucket(self.text("bucket"));
        refused(
            "AccessDenied",
            request.key(self.text("smallKey")).send().await,
        )?;
        self.expect_absent(client, self.text("deniedKey")).await
    }

    async fn wrong_secret(&self) -> Outcome {
        let forger = self.connect("forger")?;
        let request = forger.get_object().bucket(self.text("bucket"));
        let read = request.key(self.text("smallKey")).send().await;
        refused("SignatureDoesNotMatch", read)?;
        refused("SignatureDoesNotMatch", self.attempt_put(&forger).await)
    }

    async fn round_trip(&self, client: &Client) -> Outcome {
        let transfer = &self.0["transfer"];
        let (bucket, key) = (self.text("bucket"), text(&transfer["key"]));
        let body = ByteStream::from_path(text(&transfer["from"])).await?;
        client
            .put_object()
            .bucket(bucket)
            .key(key)
            .body(body)
            .send()
            .await?;
        let answer = client.get_object().bucket(bucket).key(key).send().await?;
        fs::write(text(&transfer["to"]), answer.body.collect().await?.to_vec())?;
        Ok(())
    }

    async fn attempt_put(
        &self,
        client: &Client,
    ) -> Result<impl Sized, SdkError<aws_sdk_s3::operation::put_object::PutObjectError>> {
        let request = client.put_object().bucket(self.text("bucket"));
        let body = ByteStream::from_static(b"x");
        request.key(self.text("deniedKey")).body(body).send().await
    }

    /// Parts that are copied have no checksums to be listed.
    async fn create_upload(
        &self,
        client: &Client,
        key: &str,
        parts: Option<ChecksumAlgorithm>,
    ) -> Result<String, Box<dyn Error>> {
        let request = client.create_multipart_upload().bucket(self.text("bucket"));
        let answer = request
            .key(key)
            .set_checksum_algorithm(parts)
            .send()
            .await?;
        Ok(answer.upload_id().ok_or("no upload id")?.to_owned())
    }

    async fn upload_part(
        &self,
        client: &Client,
        key: &str,
        upload: &str,
        number: i32,
        body: ByteStream,
    ) -> Result<CompletedPart, Box<dyn Error>> {
        let answer = client
            .upload_part()
            .bucket(self.text("bucket"))
            .key(key)
            .upload_id(upload)
            .part_number(number)
            .body(body)
            .send()
            .await?;
        let part = CompletedPart::builder().part_number(number);
        Ok(part
            .set_e_tag(answer.e_tag().map(str::to_owned))
            .set_checksum_crc32(answer.checksum_crc32().map(str::to_owned))
            .build())
    }

    async fn complete_upload(
        &self,
        client: &Client,
        key: &str,
        upload: &str,
        parts: Vec<CompletedPart>,
    ) -> Outcome {
        let done = CompletedMultipartUpload::builder()
            .set_parts(Some(parts))
            .build();
        client
            .complete_multipart_upload()
            .bucket(self.text("bucket"))
            .key(key)
            .upload_id(upload)
            .multipart_upload(done)
            .send()
            .await?;
        Ok(())
    }

    async fn expect_stored(&self, client: &Client, key: &str, expected: &[u8]) -> Outcome {
        let request = client.get_object().bucket(self.text("bucket"));
        let answer = request.key(key).send().await?;
        let found = answer.body.collect().await?.to_vec();
        let what = format!("{} bytes, found {} or others", expected.len(), found.len());
        expect(&what, found == expected)
    }

    async fn expect_absent(&self, client: &Client, key: &str) -> Outcome {
        let request = client.head_object().bucket(self.text("bucket"));
        let error = request.key(key).send().await.err();
        let absent = error.is_some_and(|error| {
            error
                .as_service_error()
                .is_some_and(|error| error.is_not_found())
        });
        expect(&format!("no `{key}`"), absent)
    }

    async fn keys(
        &self,
        client: &Client,
        prefix: &str,
        page_size: i32,
    ) -> Result<Vec<String>, Box<dyn Error>> {
        let mut pages = client
            .list_objects_v2()
            .bucket(self.text("bucket"))
            .prefix(prefix)
            .max_keys(page_size)
            .into_paginator()
            .send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            for object in page?.contents() {
                keys.extend(object.key().map(str::to_owned));
            }
        }
        Ok(keys)
    }

    /// The parts of a file of this many bytes: where each starts, and its length.
    fn ranges(&self, size: u64) -> Vec<(u64, u64)> {
        let part_size = number(&self.0["partSize"]);
        (0..size)
            .step_by(part_size as usize)
            .map(|start| (start, part_size.min(size - start)))
            .collect()
    }

    /// A header, which this SDK leaves to its caller to encode.
    fn copy_source(&self, key: &str) -> String {
        let mut source = format!("{}/", self.text("bucket"));
        for octet in self.text(key).bytes() {
            if octet.is_ascii_alphanumeric() || b"-._~/".contains(&octet) {
                source.push(octet.into());
            } else {
                source.push_str(&format!("%{octet:02X}"));
            }
        }
        source
    }

    fn text(&self, name: &str) -> &str {
        text(&self.0[name])
    }

    fn texts(&self, name: &str) -> Vec<&str> {
        self.0[name]
            .as_array()
            .into_iter()
            .flatten()
            .map(text)
            .collect()
    }

    fn file(&self, name: &str) -> &Path {
        Path::new(text(&self.0["files"][name]))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("the story misses a text")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("the story misses a number")
}

fn completed(number: i32, etag: Option<&str>) -> CompletedPart {
    let part = CompletedPart::builder().part_number(number);
    part.set_e_tag(etag.map(str::to_owned)).build()
}

fn expect(what: &str, holds: bool) -> Outcome {
    if holds {
        Ok(())
    } else {
        Err(format!("expected {what}").into())
    }
}

fn refused<T, E>(code: &str, result: Result<T, SdkError<E>>) -> Outcome
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let Err(error) = result else {
        return Err(format!("expected {code}, and it was allowed").into());
    };
    let status = error
        .raw_response()
        .map(|response| response.status().as_u16());
    let what = format!("{code}, found {:?} with {status:?}", error.code());
    expect(&what, error.code() == Some(code) && status == Some(403))
}
