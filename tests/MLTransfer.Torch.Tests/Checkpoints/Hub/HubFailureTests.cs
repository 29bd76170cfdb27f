using System.Globalization;
using System.Net;
using System.Text;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Checkpoints.Hub;
using Xunit;

namespace MLTransfer.Torch.Tests.Checkpoints.Hub;

public sealed class HubFailureTests : HubTest
{
    private const string Weights = "model.safetensors";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Dropped_connection_is_resumed_where_it_broke()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        int dropped = 0;
        hub.Intercept = context =>
        {
            if (!IsWeightsContent(hub, context) || Interlocked.Increment(ref dropped) > 1)
                return false;
            LocalHub.SendPart(context, hub.Files[Weights], hub.Files[Weights].Length / 2);
            return true;
        };

        AssertHolds(hub, await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));

        string?[] ranges = [.. hub.Downloads(Weights).Select(request => request.Range)];
        Assert.Equal(2, ranges.Length);
        Assert.Null(ranges[0]);
        Assert.Matches(@"^bytes=[1-9]\d*-$", ranges[1]);
    }

    [Fact]
    public async Task Connection_that_drops_again_and_again_is_resumed_as_long_as_bytes_arrive()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        const int Pieces = 20; // many more than the retries without progress
        int piece = hub.Files[Weights].Length / Pieces;
        hub.Intercept = context =>
        {
            if (!IsWeightsContent(hub, context))
                return false;
            byte[] content = hub.Files[Weights];
            int from = context.Request.Headers["Range"] is { } range
                ? int.Parse(range.AsSpan("bytes=".Length).TrimEnd('-'), CultureInfo.InvariantCulture)
                : 0;
            if (from + piece >= content.Length)
                return false;
            if (from > 0)
            {
                context.Response.StatusCode = (int)HttpStatusCode.PartialContent;
                context.Response.Headers["Content-Range"] = $"bytes {from}-{content.Length - 1}/{content.Length}";
            }

            LocalHub.SendPart(context, content[from..], piece);
            return true;
        };

        AssertHolds(hub, await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));
        Assert.True(hub.Downloads(Weights).Count() >= Pieces);
    }

    [Fact]
    public async Task Server_that_ignores_ranges_is_asked_for_the_whole_file_again()
    {
        using LocalHub hub = new LocalHub { SupportsRanges = false }.WithTinyModel();
        Directory.CreateDirectory(BlobFolder);
        await File.WriteAllBytesAsync(BlobPath(hub, Weights) + ".incomplete", new byte[1000], Stop);

        AssertHolds(hub, await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));

        Assert.Equal("bytes=1000-", Assert.Single(hub.Downloads(Weights)).Range);
    }

    [Fact]
    public async Task Wrong_beginning_from_an_earlier_try_is_thrown_away()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        Directory.CreateDirectory(BlobFolder);
        await File.WriteAllBytesAsync(BlobPath(hub, Weights) + ".incomplete", new byte[1000], Stop);

        AssertHolds(hub, await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));

        Assert.Equal(["bytes=1000-", null], hub.Downloads(Weights).Select(request => request.Range));
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("config.json")]
    public async Task Wrong_content_is_refused_after_a_second_try_and_nothing_gets_its_name(string file)
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        hub.Tamper = (name, content) =>
        {
            if (name == file)
                content = [(byte)~content[0], .. content[1..]];
            return content;
        };

        HubException e = await Assert.ThrowsAsync<HubException>(() => Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));

        string expected = LocalHub.HashOf(file, hub.Files[file]);
        string found = LocalHub.HashOf(file, hub.Tamper(file, hub.Files[file]));
        Assert.Contains($"'{file}'", e.Message, StringComparison.Ordinal);
        Assert.Contains($"expected hash {expected}, found {found}", e.Message, StringComparison.Ordinal);
        Assert.Equal(2, hub.Downloads(file).Count());
        AssertNothingVisible(hub, file);
        Assert.False(File.Exists(BlobPath(hub, file) + ".incomplete"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Body_longer_than_announced_is_cut_off(bool isLengthTold)
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        long sent = 0;
        hub.Intercept = context =>
        {
            if (!IsWeightsContent(hub, context))
                return false;
            byte[] content = hub.Files[Weights];
            byte[] surplus = new byte[64 << 20];
            if (isLengthTold)
                context.Response.ContentLength64 = content.Length + surplus.Length;
            else
                context.Response.SendChunked = true;
            context.Response.OutputStream.Write(content);
            for (int at = 0; at < surplus.Length; at += 1 << 20)
            {
                context.Response.OutputStream.Write(surplus, at, 1 << 20);
                Interlocked.Add(ref sent, 1 << 20);
            }

            context.Response.Close();
            return true;
        };

        HubException e = await Assert.ThrowsAsync<HubException>(() => Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));

        Assert.Contains($"'{Weights}' with {hub.Files[Weights].Length} bytes", e.Message, StringComparison.Ordinal);
        Assert.True(Interlocked.Read(ref sent) < 2 * (64 << 20), "the connection was not cut");
        AssertNothingVisible(hub, Weights);
        Assert.DoesNotContain(Directory.GetFiles(BlobFolder), path => new FileInfo(path).Length > hub.Files[Weights].Length);
    }

    [Theory]
    [InlineData("bytes 0-598599/598600")]
    [InlineData("bytes 1000-598599/999999999")]
    public async Task Range_other_than_the_one_asked_for_is_not_appended(string range)
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        Directory.CreateDirectory(BlobFolder);
        await File.WriteAllBytesAsync(BlobPath(hub, Weights) + ".incomplete", hub.Files[Weights][..1000], Stop);
        hub.Intercept = context =>
        {
            if (!IsWeightsContent(hub, context) || context.Request.Headers["Range"] is null)
                return false;
            context.Response.StatusCode = (int)HttpStatusCode.PartialContent;
            context.Response.Headers["Content-Range"] = range;
            context.Response.Close(hub.Files[Weights][1000..], willBlock: true);
            return true;
        };

        AssertHolds(hub, await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));
        Assert.Equal(["bytes=1000-", null], hub.Downloads(Weights).Select(request => request.Range));
    }

    [Theory]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    [InlineData(HttpStatusCode.TooManyRequests)]
    [InlineData(HttpStatusCode.BadGateway)]
    public async Task Passing_refusals_are_tried_again(HttpStatusCode status)
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        HashSet<string> refused = [];
        hub.Intercept = context =>
        {
            lock (refused)
            {
                if (!refused.Add(context.Request.HttpMethod + context.Request.Url))
                    return false;
            }

            LocalHub.Refuse(context, status);
            return true;
        };

        AssertHolds(hub, await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));
        Assert.All(
            hub.Requests.GroupBy(request => (request.Method, request.Path)),
            tries => Assert.True(tries.Count() >= 2, $"{tries.Key}"));
    }

    [Fact]
    public async Task Pause_that_the_server_asks_for_is_kept()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        int refused = 0;
        hub.Intercept = context =>
        {
            if (Interlocked.Increment(ref refused) > 1)
                return false;
            LocalHub.Refuse(context, HttpStatusCode.TooManyRequests, ("Retry-After", "1"));
            return true;
        };
        long start = System.Diagnostics.Stopwatch.GetTimestamp();

        AssertHolds(hub, await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));

        Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(start) >= TimeSpan.FromSeconds(0.99));
    }

    [Fact]
    public async Task Pause_of_an_hour_is_left_to_the_user()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        hub.Intercept = context =>
        {
            LocalHub.Refuse(context, HttpStatusCode.TooManyRequests, ("Retry-After", "3600"));
            return true;
        };

        HubException e = await Assert.ThrowsAsync<HubException>(() => Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));

        Assert.Contains("retry after 3600 s", e.Message, StringComparison.Ordinal);
        Assert.Single(hub.Requests);
    }

    [Fact]
    public async Task Refusals_that_do_not_pass_end_with_the_status()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        hub.Intercept = context =>
        {
            LocalHub.Refuse(context, HttpStatusCode.ServiceUnavailable);
            return true;
        };

        HubException e = await Assert.ThrowsAsync<HubException>(() => Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, e.StatusCode);
        Assert.Equal(5, hub.Requests.Count);
    }

    [Fact]
    public async Task Silent_server_is_given_up_after_the_timeout()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        hub.Intercept = _ => true; // and no answer

        HubException e = await Assert.ThrowsAsync<HubException>(
            () => Client(hub, timeoutSeconds: 0.05).GetSnapshotAsync("owner/model", cancellationToken: Stop));

        Assert.Contains("sent nothing for", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_that_is_not_there_is_named()
    {
        LocalHub hub = new();
        hub.Dispose();

        HubException e = await Assert.ThrowsAsync<HubException>(() => Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));

        Assert.Contains($"127.0.0.1:{hub.Port}", e.Message, StringComparison.Ordinal);
        Assert.Contains("HF_ENDPOINT", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized, "RepoNotFound", null, new[] { "no model 'owner/model'", "private or gated", "HF_TOKEN" })]
    [InlineData(HttpStatusCode.Unauthorized, null, "hf_secret", new[] { "refused the access token", "HF_TOKEN" })]
    [InlineData(HttpStatusCode.Unauthorized, "GatedRepo", null, new[] { "gated", "/owner/model", "HF_TOKEN" })]
    [InlineData(HttpStatusCode.Forbidden, "GatedRepo", "hf_secret", new[] { "gated", "/owner/model", "HF_TOKEN" })]
    [InlineData(HttpStatusCode.Forbidden, null, "hf_secret", new[] { "forbids access", "'owner/model'" })]
    [InlineData(HttpStatusCode.NotFound, "RepoNotFound", null, new[] { "does not know the model 'owner/model'", "spelling" })]
    [InlineData(HttpStatusCode.NotFound, "RevisionNotFound", null, new[] { "'owner/model' has no revision 'v9'" })]
    public async Task Refusal_says_why_and_what_to_do(HttpStatusCode status, string? code, string? token, string[] parts)
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        hub.Intercept = context =>
        {
            LocalHub.Refuse(context, status, ("X-Error-Code", code ?? "None"), ("X-Error-Message", "the server's words"));
            return true;
        };

        HubException e = await Assert.ThrowsAsync<HubException>(
            () => Client(hub, token).GetSnapshotAsync("owner/model", "v9", cancellationToken: Stop));

        Assert.Equal(status, e.StatusCode);
        Assert.All(parts, part => Assert.Contains(part, e.Message, StringComparison.Ordinal));
        Assert.Contains("the server's words", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hf_secret", e.ToString(), StringComparison.Ordinal);
        Assert.Single(hub.Requests);
    }

    [Fact]
    public async Task Cancelled_download_goes_on_where_it_was_stopped()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        using CancellationTokenSource cancel = new();
        int halted = 0;
        hub.Intercept = context =>
        {
            if (!IsWeightsContent(hub, context) || Interlocked.Increment(ref halted) > 1)
                return false;
            context.Response.ContentLength64 = hub.Files[Weights].Length;
            context.Response.OutputStream.Write(hub.Files[Weights], 0, 300_000);
            context.Response.OutputStream.Flush();
            cancel.Token.WaitHandle.WaitOne(TimeSpan.FromSeconds(20));
            context.Response.Abort();
            return true;
        };
        string incomplete = BlobPath(hub, Weights) + ".incomplete";
        Task<string> download = Client(hub).GetSnapshotAsync("owner/model", cancellationToken: cancel.Token);
        while (FileOnDisk.Length(incomplete) is not 300_000)
        {
            Assert.False(download.IsCompleted, "the download ended before it could be cancelled");
            await Task.Delay(10, Stop);
        }

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => download);

        Assert.Equal(300_000, new FileInfo(incomplete).Length);
        AssertNothingVisible(hub, Weights);
        AssertHolds(hub, await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));
        Assert.Equal([null, "bytes=300000-"], hub.Downloads(Weights).Select(request => request.Range));
    }

    [Theory]
    [InlineData("../../evil.json")]
    [InlineData("/etc/evil.json")]
    [InlineData("sub/../../evil.json")]
    [InlineData("..\\evil.json")]
    public async Task File_name_that_leads_out_of_the_folder_is_refused(string name)
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        hub.ListedOnly.Add(name);

        HubException e = await Assert.ThrowsAsync<HubException>(() => Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));

        Assert.Contains(name, e.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(ModelFolder));
    }

    [Theory]
    [InlineData("../../../evil.safetensors")]
    [InlineData("/tmp/evil.safetensors")]
    [InlineData("sub/evil.safetensors")]
    public async Task Shard_outside_the_folder_of_the_index_is_refused(string shard)
    {
        using LocalHub hub = new LocalHub().With("gpt2-tiny", "config.json", "tokenizer.json");
        hub.Files["model.safetensors.index.json"] = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(
            new { weight_map = new Dictionary<string, string> { ["wte.weight"] = shard } });

        InvalidDataException e = await Assert.ThrowsAsync<InvalidDataException>(
            () => Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));

        Assert.Contains(shard, e.Message, StringComparison.Ordinal);
        Assert.Contains("wte.weight", e.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(ModelFolder, "refs")));
    }

    [Theory]
    [InlineData("\"../../../evil\"")]
    [InlineData("\"d41d8cd98f00b204e9800998ecf8427e\"")]
    public async Task Etag_that_is_no_content_hash_is_refused(string etag)
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        hub.Intercept = context =>
        {
            if (context.Request.HttpMethod != "HEAD")
                return false;
            LocalHub.Refuse(context, HttpStatusCode.OK, ("X-Repo-Commit", LocalHub.Commit), ("ETag", etag));
            return true;
        };

        HubException e = await Assert.ThrowsAsync<HubException>(() => Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));

        Assert.Contains(etag.Trim('"'), e.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(ModelFolder));
    }

    [Fact]
    public async Task More_than_the_disk_holds_is_refused_before_anything_is_downloaded()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        hub.Intercept = context =>
        {
            if (context.Request.HttpMethod != "HEAD" || !context.Request.Url!.AbsolutePath.EndsWith(Weights, StringComparison.Ordinal))
                return false;
            LocalHub.Refuse(
                context,
                HttpStatusCode.OK,
                ("X-Repo-Commit", LocalHub.Commit),
                ("X-Linked-Etag", new string('a', 64)),
                ("X-Linked-Size", "9000000000000000000"));
            return true;
        };

        HubException e = await Assert.ThrowsAsync<HubException>(() => Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));

        Assert.Contains(CacheFolder, e.Message, StringComparison.Ordinal);
        Assert.Contains("9,000,000,000,0", e.Message, StringComparison.Ordinal);
        Assert.Empty(hub.Downloads("config.json"));
    }

    [Fact]
    public async Task Token_goes_to_the_hub_and_not_to_the_store_that_it_redirects_to()
    {
        using LocalHub store = new LocalHub().WithTinyModel();
        using LocalHub hub = new LocalHub { StoreAddress = store.Endpoint.AbsoluteUri.TrimEnd('/') }.WithTinyModel();

        AssertHolds(hub, await Client(hub, "hf_secret").GetSnapshotAsync("owner/model", cancellationToken: Stop));

        Assert.All(hub.Requests, request => Assert.Equal("Bearer hf_secret", request.Authorization));
        Assert.Null(Assert.Single(store.Requests).Authorization);
    }

    [Fact]
    public async Task Redirect_to_clear_text_on_another_machine_is_refused()
    {
        using LocalHub hub = new LocalHub { StoreAddress = "http://store.example" }.WithTinyModel();

        HubException e = await Assert.ThrowsAsync<HubException>(() => Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));

        Assert.Contains("http://store.example", e.Message, StringComparison.Ordinal);
        Assert.Contains("https", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer")]
    [InlineData("weights")]
    public async Task Model_that_lacks_a_part_is_refused_with_what_it_has(string part)
    {
        using LocalHub hub = new LocalHub().With("gpt2-tiny", part switch
        {
            "config.json" => ["tokenizer.json", Weights],
            "tokenizer" => ["config.json", "vocab.json", Weights],
            _ => ["config.json", "tokenizer.json", "special_tokens_map.json"],
        });

        HubException e = await Assert.ThrowsAsync<HubException>(() => Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));

        Assert.Contains($"has no {part}", e.Message, StringComparison.Ordinal);
        Assert.All(hub.Files.Keys, name => Assert.Contains(name, e.Message, StringComparison.Ordinal));
        Assert.Single(hub.Requests);
    }

    [Theory]
    [InlineData("<html>Welcome to the hotel's network</html>")]
    [InlineData("{\"sha\":\"0123456789abcdef0123456789abcdef01234567\",\"siblings\":[],\"siblings\":[]}")]
    [InlineData("{\"sha\":\"0123456789abcdef0123456789abcdef01234567\",\"siblings\":[{\"rfilename\":\"\\ud800\"}]}")]
    public async Task Server_that_is_no_hub_is_told_apart(string answer)
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        hub.Intercept = context =>
        {
            context.Response.Close(Encoding.UTF8.GetBytes(answer), willBlock: true);
            return true;
        };

        HubException e = await Assert.ThrowsAsync<HubException>(() => Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));

        Assert.Contains("did not answer as a hub does", e.Message, StringComparison.Ordinal);
    }

    private void AssertNothingVisible(LocalHub hub, string file)
    {
        Assert.False(File.Exists(BlobPath(hub, file)));
        Assert.False(File.Exists(Path.Combine(SnapshotFolder, file)));
        Assert.False(Directory.Exists(Path.Combine(ModelFolder, "refs")));
    }

    private static bool IsWeightsContent(LocalHub hub, HttpListenerContext context) =>
        context.Request.HttpMethod == "GET" && context.Request.Url!.AbsolutePath == "/store/" + hub.StoreName(Weights);
}
