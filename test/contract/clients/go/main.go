// The steps of the user story told by the AWS SDK for Go v2. One step a run: its name is the argument, its story is
// JSON on standard input.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

const sdk = "github.com/aws/aws-sdk-go-v2/service/s3"

type keyPair struct{ AccessKeyID, SecretAccessKey string }

type story struct {
	Endpoint, CaFile, Region, Bucket, Folder string
	Admin, Forger, Reader                    keyPair
	Files                                    struct{ Small, Big, Many string }
	PartSize                                 int64
	Range                                    struct{ First, Last int }
	SmallKey, BigKey, CopyKey, PipedKey      string
	PresignedKey, DeniedKey, ManyPrefix      string
	ManyNames, OddKeys                       []string
	Transfer                                 struct{ From, Key, To string }
}

var (
	ctx  = context.Background()
	tale story
)

func main() {
	steps := map[string]func(*s3.Client) error{
		"make bucket":     makeBucket,
		"put":             put,
		"get":             get,
		"range get":       rangeGet,
		"put from a pipe": putFromAPipe,
		"list":            list,
		"odd keys":        oddKeys,
		"multipart":       multipart,
		"copy":            copyObjects,
		"delete many":     deleteMany,
		"presigned get":   presignedGet,
		"presigned put":   presignedPut,
		"denial":          denial,
		"wrong secret":    wrongSecret,
		"round trip":      roundTrip,
	}
	if os.Args[1] == "version" {
		printVersion()
		return
	}
	must(json.NewDecoder(os.Stdin).Decode(&tale))
	client, err := connect(tale.Admin)
	must(err)
	must(steps[os.Args[1]](client))
}

func printVersion() {
	build, _ := debug.ReadBuildInfo()
	for _, module := range build.Deps {
		if module.Path == sdk {
			fmt.Println(module.Version)
		}
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func connect(keys keyPair) (*s3.Client, error) {
	options := []func(*config.LoadOptions) error{
		config.WithRegion(tale.Region),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(keys.AccessKeyID, keys.SecretAccessKey, "")),
		config.WithRetryMaxAttempts(1),
	}
	if tale.CaFile != "" {
		bundle, err := os.ReadFile(tale.CaFile)
		if err != nil {
			return nil, err
		}
		options = append(options, config.WithCustomCABundle(bytes.NewReader(bundle)))
	}
	settings, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, err
	}
	return s3.NewFromConfig(settings, func(o *s3.Options) {
		o.BaseEndpoint = &tale.Endpoint
		o.UsePathStyle = true
	}), nil
}

func makeBucket(client *s3.Client) error {
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &tale.Bucket}); err != nil {
		return err
	}
	if _, err := client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &tale.Bucket}); err != nil {
		return err
	}
	buckets, err := client.ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil {
		return err
	}
	for _, bucket := range buckets.Buckets {
		if *bucket.Name == tale.Bucket {
			return nil
		}
	}
	return fmt.Errorf("`%s` is not listed", tale.Bucket)
}

func put(client *s3.Client) error {
	file, err := os.Open(tale.Files.Small)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := client.PutObject(ctx, &s3.PutObjectInput{
		Bucket:      &tale.Bucket,
		Key:         &tale.SmallKey,
		Body:        file,
		ContentType: aws.String("text/plain"),
		Metadata:    map[string]string{"origin": "contract"},
	}); err != nil {
		return err
	}
	head, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &tale.Bucket, Key: &tale.SmallKey})
	if err != nil {
		return err
	}
	if aws.ToString(head.ContentType) != "text/plain" || head.Metadata["origin"] != "contract" {
		return fmt.Errorf("found %v and %v", aws.ToString(head.ContentType), head.Metadata)
	}
	return nil
}

func get(client *s3.Client) error {
	expected, err := os.ReadFile(tale.Files.Small)
	if err != nil {
		return err
	}
	return expectStored(client, tale.SmallKey, expected)
}

func rangeGet(client *s3.Client) error {
	small, err := os.ReadFile(tale.Files.Small)
	if err != nil {
		return err
	}
	first, last := tale.Range.First, tale.Range.Last
	answer, err := client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &tale.Bucket,
		Key:    &tale.SmallKey,
		Range:  aws.String(fmt.Sprintf("bytes=%d-%d", first, last)),
	})
	if err != nil {
		return err
	}
	return expectBody(answer.Body, small[first:last+1])
}

func putFromAPipe(client *s3.Client) error {
	for key, path := range map[string]string{tale.PipedKey: tale.Files.Small, "reports/piped-parts.bin": tale.Files.Big} {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		uploader := manager.NewUploader(client, func(u *manager.Uploader) { u.PartSize = tale.PartSize })
		if _, err := uploader.Upload(ctx, &s3.PutObjectInput{Bucket: &tale.Bucket, Key: &key, Body: piped(data)}); err != nil {
			return err
		}
		if err := expectStored(client, key, data); err != nil {
			return err
		}
	}
	if !strings.HasPrefix(tale.Endpoint, "https:") {
		// Without TLS this SDK hashes the body before it sends it, and refuses what it cannot read twice.
		return nil
	}
	data, err := os.ReadFile(tale.Files.Small)
	if err != nil {
		return err
	}
	key := "reports/piped-at-once.txt"
	if _, err := client.PutObject(ctx, &s3.PutObjectInput{
		Bucket:        &tale.Bucket,
		Key:           &key,
		Body:          piped(data),
		ContentLength: aws.Int64(int64(len(data))),
	}); err != nil {
		return err
	}
	return expectStored(client, key, data)
}

func list(client *s3.Client) error {
	keys, err := listKeys(client, "reports/", 2)
	if err != nil {
		return err
	}
	if !slices.Contains(keys, tale.SmallKey) || !slices.Contains(keys, tale.PipedKey) || !slices.IsSorted(keys) {
		return fmt.Errorf("found %q", keys)
	}
	top, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &tale.Bucket, Delimiter: aws.String("/")})
	if err != nil {
		return err
	}
	if len(top.CommonPrefixes) != 1 || aws.ToString(top.CommonPrefixes[0].Prefix) != "reports/" {
		return fmt.Errorf("expected `reports/` alone, found %v", top.CommonPrefixes)
	}
	return nil
}

func oddKeys(client *s3.Client) error {
	for _, key := range tale.OddKeys {
		if _, err := client.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &tale.Bucket, Key: &key, Body: strings.NewReader(key),
		}); err != nil {
			return err
		}
		if err := expectStored(client, key, []byte(key)); err != nil {
			return err
		}
	}
	keys, err := listKeys(client, "odd/", 1000)
	if err != nil {
		return err
	}
	if expected := slices.Sorted(slices.Values(tale.OddKeys)); !slices.Equal(keys, expected) {
		return fmt.Errorf("expected %q, found %q", expected, keys)
	}
	for _, key := range tale.OddKeys {
		if _, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &tale.Bucket, Key: &key}); err != nil {
			return err
		}
		if err := expectAbsent(client, key); err != nil {
			return err
		}
	}
	return nil
}

func multipart(client *s3.Client) error {
	file, err := os.Open(tale.Files.Big)
	if err != nil {
		return err
	}
	defer file.Close()
	uploader := manager.NewUploader(client, func(u *manager.Uploader) { u.PartSize = tale.PartSize })
	if _, err := uploader.Upload(ctx, &s3.PutObjectInput{Bucket: &tale.Bucket, Key: &tale.BigKey, Body: file}); err != nil {
		return err
	}
	path := filepath.Join(tale.Folder, "big.bin")
	if err := download(client, tale.BigKey, path); err != nil {
		return err
	}
	return expectSameFiles(path, tale.Files.Big)
}

func copyObjects(client *s3.Client) error {
	if _, err := client.CopyObject(ctx, &s3.CopyObjectInput{
		Bucket: &tale.Bucket, Key: &tale.CopyKey, CopySource: aws.String(copySource(tale.SmallKey)),
	}); err != nil {
		return err
	}
	small, err := os.ReadFile(tale.Files.Small)
	if err != nil {
		return err
	}
	if err := expectStored(client, tale.CopyKey, small); err != nil {
		return err
	}
	return copyInParts(client, "copies/big.bin")
}

func copyInParts(client *s3.Client, key string) error {
	big, err := os.ReadFile(tale.Files.Big)
	if err != nil {
		return err
	}
	upload, err := client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &tale.Bucket, Key: &key})
	if err != nil {
		return err
	}
	var parts []types.CompletedPart
	for start := int64(0); start < int64(len(big)); start += tale.PartSize {
		number := aws.Int32(int32(len(parts) + 1))
		last := min(start+tale.PartSize, int64(len(big))) - 1
		part, err := client.UploadPartCopy(ctx, &s3.UploadPartCopyInput{
			Bucket:          &tale.Bucket,
			Key:             &key,
			UploadId:        upload.UploadId,
			PartNumber:      number,
			CopySource:      aws.String(copySource(tale.BigKey)),
			CopySourceRange: aws.String(fmt.Sprintf("bytes=%d-%d", start, last)),
		})
		if err != nil {
			return err
		}
		parts = append(parts, types.CompletedPart{PartNumber: number, ETag: part.CopyPartResult.ETag})
	}
	if _, err := client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket:          &tale.Bucket,
		Key:             &key,
		UploadId:        upload.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}); err != nil {
		return err
	}
	return expectStored(client, key, big)
}

func deleteMany(client *s3.Client) error {
	var objects []types.ObjectIdentifier
	for _, name := range tale.ManyNames {
		key := tale.ManyPrefix + name
		if _, err := client.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &tale.Bucket, Key: &key, Body: strings.NewReader("x"),
		}); err != nil {
			return err
		}
		objects = append(objects, types.ObjectIdentifier{Key: &key})
	}
	answer, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &tale.Bucket, Delete: &types.Delete{Objects: objects},
	})
	if err != nil {
		return err
	}
	if len(answer.Deleted) != len(objects) || len(answer.Errors) != 0 {
		return fmt.Errorf("%d deleted, %d errors", len(answer.Deleted), len(answer.Errors))
	}
	left, err := listKeys(client, tale.ManyPrefix, 1000)
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("left: %q", left)
	}
	return err
}

func presignedGet(client *s3.Client) error {
	signed, err := s3.NewPresignClient(client).PresignGetObject(ctx, &s3.GetObjectInput{
		Bucket: &tale.Bucket, Key: &tale.SmallKey,
	}, s3.WithPresignExpires(time.Minute))
	if err == nil {
		fmt.Println(signed.URL)
	}
	return err
}

func presignedPut(client *s3.Client) error {
	signed, err := s3.NewPresignClient(client).PresignPutObject(ctx, &s3.PutObjectInput{
		Bucket: &tale.Bucket, Key: &tale.PresignedKey,
	}, s3.WithPresignExpires(time.Minute))
	if err == nil {
		fmt.Println(signed.URL)
	}
	return err
}

func denial(client *s3.Client) error {
	reader, err := connect(tale.Reader)
	if err != nil {
		return err
	}
	if err := get(reader); err != nil {
		return err
	}
	if err := expectRefused("AccessDenied", attemptPut(reader)); err != nil {
		return err
	}
	_, err = reader.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &tale.Bucket, Key: &tale.SmallKey})
	if err := expectRefused("AccessDenied", err); err != nil {
		return err
	}
	return expectAbsent(client, tale.DeniedKey)
}

func wrongSecret(*s3.Client) error {
	forger, err := connect(tale.Forger)
	if err != nil {
		return err
	}
	_, err = forger.GetObject(ctx, &s3.GetObjectInput{Bucket: &tale.Bucket, Key: &tale.SmallKey})
	if err := expectRefused("SignatureDoesNotMatch", err); err != nil {
		return err
	}
	return expectRefused("SignatureDoesNotMatch", attemptPut(forger))
}

func roundTrip(client *s3.Client) error {
	file, err := os.Open(tale.Transfer.From)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &tale.Bucket, Key: &tale.Transfer.Key, Body: file,
	}); err != nil {
		return err
	}
	return download(client, tale.Transfer.Key, tale.Transfer.To)
}

func attemptPut(client *s3.Client) error {
	_, err := client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &tale.Bucket, Key: &tale.DeniedKey, Body: strings.NewReader("x"),
	})
	return err
}

func expectRefused(code string, err error) error {
	var refusal smithy.APIError
	var response *awshttp.ResponseError
	if !errors.As(err, &refusal) || !errors.As(err, &response) {
		return fmt.Errorf("expected %s, found %v", code, err)
	}
	if refusal.ErrorCode() != code || response.HTTPStatusCode() != http.StatusForbidden {
		return fmt.Errorf("expected %s, found %w", code, err)
	}
	return nil
}

func expectAbsent(client *s3.Client, key string) error {
	_, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &tale.Bucket, Key: &key})
	var absent *types.NotFound
	if !errors.As(err, &absent) {
		return fmt.Errorf("expected no `%s`, found %v", key, err)
	}
	return nil
}

func expectStored(client *s3.Client, key string, expected []byte) error {
	answer, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &tale.Bucket, Key: &key})
	if err != nil {
		return err
	}
	return expectBody(answer.Body, expected)
}

func expectBody(body io.ReadCloser, expected []byte) error {
	defer body.Close()
	found, err := io.ReadAll(body)
	if err == nil && !bytes.Equal(found, expected) {
		err = fmt.Errorf("expected %d bytes, found %d or others", len(expected), len(found))
	}
	return err
}

func expectSameFiles(found, expected string) error {
	a, err := os.ReadFile(found)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(expected)
	if err == nil && !bytes.Equal(a, b) {
		err = fmt.Errorf("`%s` differs from `%s`", found, expected)
	}
	return err
}

func download(client *s3.Client, key, path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	downloader := manager.NewDownloader(client, func(d *manager.Downloader) { d.PartSize = tale.PartSize })
	_, err = downloader.Download(ctx, file, &s3.GetObjectInput{Bucket: &tale.Bucket, Key: &key})
	return errors.Join(err, file.Close())
}

func listKeys(client *s3.Client, prefix string, pageSize int32) ([]string, error) {
	var keys []string
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{
		Bucket: &tale.Bucket, Prefix: &prefix, MaxKeys: &pageSize,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, object := range page.Contents {
			keys = append(keys, *object.Key)
		}
	}
	return keys, nil
}

// copySource is a header, which this SDK leaves to its caller to encode.
func copySource(key string) string {
	const kept = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"
	var source strings.Builder
	source.WriteString(tale.Bucket + "/")
	for _, octet := range []byte(key) {
		if strings.IndexByte(kept, octet) >= 0 {
			source.WriteByte(octet)
		} else {
			fmt.Fprintf(&source, "%%%02X", octet)
		}
	}
	return source.String()
}

// piped can be read once and forwards, and does not say how long it is.
func piped(data []byte) io.Reader {
	reading, writing := io.Pipe()
	go func() {
		_, err := writing.Write(data)
		writing.CloseWithError(err)
	}()
	return reading
}
