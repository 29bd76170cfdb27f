using System.Diagnostics;
using MLTransfer.Torch.Checkpoints.Hub;
using Xunit;

namespace MLTransfer.Torch.Tests.Checkpoints.Hub;

public sealed class HubDownloadTests : HubTest
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("pytorch_model.bin")]
    public async Task Model_is_downloaded_byte_for_byte(string weights)
    {
        using LocalHub hub = new LocalHub().WithTinyModel(weights);

        string folder = await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop);

        Assert.Equal(SnapshotFolder, folder);
        AssertHolds(hub, folder);
        Assert.Equal(hub.Files.Keys.Order(), Directory.GetFiles(folder).Select(path => Path.GetFileName(path)).Order());
    }

    [Fact]
    public async Task Sharded_model_is_downloaded_with_every_shard_of_its_index()
    {
        using LocalHub hub = new LocalHub().WithShardedModel();

        string folder = await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop);

        AssertHolds(hub, folder);
        Assert.Equal(10, Directory.GetFiles(folder, "model-*.safetensors").Length);
    }

    [Fact]
    public async Task Id_without_an_owner_is_downloaded_too()
    {
        using LocalHub hub = new LocalHub("model").WithTinyModel();

        string folder = await Client(hub).GetSnapshotAsync("model", cancellationToken: Stop);

        Assert.Equal(Path.Combine(CacheFolder, "models--model", "snapshots", LocalHub.Commit), folder);
        AssertHolds(hub, folder);
    }

    [Fact]
    public async Task Chat_templates_are_downloaded_with_the_model_those_of_their_folder_too()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        string[] templates = ["chat_template.jinja", "chat_template.json", "additional_chat_templates/tool use.jinja"];
        foreach (string name in templates)
            hub.Files[name] = [1, 2, 3];

        string folder = await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop);

        foreach (string name in templates)
            Assert.Equal([1, 2, 3], File.ReadAllBytes(Path.Combine(folder, name)));
    }

    [Fact]
    public async Task Files_that_the_model_does_not_need_stay_on_the_hub()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        string[] others = ["LICENSE.txt", "pytorch_model.bin", "tf_model.h5", "onnx/model.onnx", "other.safetensors", ".gitattributes"];
        foreach (string name in others)
            hub.Files[name] = [1, 2, 3];

        string folder = await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop);

        Assert.Equal(8, Directory.GetFileSystemEntries(folder).Length);
        Assert.DoesNotContain(hub.Requests, request => others.Any(name => request.Path.EndsWith(name, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Second_time_no_request_is_made()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        string first = await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop);
        hub.Requests.Clear();

        Assert.Equal(first, await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));
        Assert.Equal(first, await Client(hub).GetSnapshotAsync("owner/model", LocalHub.Commit, cancellationToken: Stop));
        Assert.Empty(hub.Requests);
    }

    [Fact]
    public async Task Offline_client_takes_the_model_from_the_cache()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        string online = await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop);
        hub.Requests.Clear();

        Assert.Equal(online, await Client(hub, offline: true).GetSnapshotAsync("owner/model", cancellationToken: Stop));
        Assert.Empty(hub.Requests);
    }

    [Fact]
    public async Task Offline_client_without_the_model_says_what_it_looked_for_and_where()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();

        HubException e = await Assert.ThrowsAsync<HubException>(
            () => Client(hub, offline: true).GetSnapshotAsync("owner/model", cancellationToken: Stop));

        Assert.Contains("HF_HUB_OFFLINE", e.Message, StringComparison.Ordinal);
        Assert.Contains("'owner/model' revision 'main'", e.Message, StringComparison.Ordinal);
        Assert.Contains(ModelFolder, e.Message, StringComparison.Ordinal);
        Assert.Empty(hub.Requests);
    }

    [Fact]
    public async Task Only_what_the_cache_lacks_is_downloaded()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        string folder = await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop);
        File.Delete(Path.Combine(folder, "config.json"));
        File.Delete(BlobPath(hub, "config.json"));
        File.Delete(Path.Combine(folder, "merges.txt"));
        hub.Requests.Clear();

        await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop);

        AssertHolds(hub, folder);
        Assert.Single(hub.Downloads("config.json"));
        Assert.Empty(hub.Downloads("merges.txt"));
        Assert.Empty(hub.Downloads("model.safetensors"));
    }

    [Fact]
    public async Task Snapshot_without_a_shard_is_not_taken_for_complete()
    {
        using LocalHub hub = new LocalHub().WithShardedModel();
        string folder = await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop);
        const string Shard = "model-00007-of-00010.safetensors";
        File.Delete(BlobPath(hub, Shard)); // leaves a link that leads nowhere

        await Assert.ThrowsAsync<HubException>(() => Client(hub, offline: true).GetSnapshotAsync("owner/model", cancellationToken: Stop));
        hub.Requests.Clear();
        await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop);

        AssertHolds(hub, folder);
        Assert.Single(hub.Downloads(Shard));
    }

    [Fact]
    public async Task Speech_model_whose_vocabulary_is_of_characters_is_downloaded()
    {
        string[] files = ["config.json", "vocab.json", "tokenizer_config.json", "model.safetensors"];
        using LocalHub hub = new LocalHub().With("speech/vits-tiny-speakers", files);

        string folder = await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop);

        Assert.Equal(files.Order(), Directory.GetFiles(folder).Select(path => Path.GetFileName(path)).Order());
    }

    [Fact]
    public async Task Layout_is_that_of_the_hub_library_for_Python()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();

        await Client(hub).GetSnapshotAsync("owner/model", "refs/pr/1", cancellationToken: Stop);

        Assert.Equal(LocalHub.Commit, await File.ReadAllTextAsync(Path.Combine(ModelFolder, "refs", "refs", "pr", "1"), Stop));
        foreach ((string name, byte[] content) in hub.Files)
        {
            string hash = LocalHub.HashOf(name, content);
            Assert.Equal($"../../blobs/{hash}", new FileInfo(Path.Combine(SnapshotFolder, name)).LinkTarget!.Replace('\\', '/'));
            Assert.Null(new FileInfo(Path.Combine(BlobFolder, hash)).LinkTarget);
            Assert.True(File.Exists(Path.Combine(CacheFolder, ".locks", "models--owner--model", hash + ".lock")));
        }

        Assert.Equal(hub.Files.Count, Directory.GetFiles(BlobFolder).Length);
        Assert.Equal(["blobs", "refs", "snapshots"], Directory.GetFileSystemEntries(ModelFolder).Select(Path.GetFileName).Order());
        Assert.Equal(["1"], Directory.GetFileSystemEntries(Path.Combine(ModelFolder, "refs", "refs", "pr")).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Model_that_another_program_put_into_the_cache_is_found()
    {
        using LocalHub hub = new LocalHub().With("gpt2-tiny", "config.json", "vocab.json", "merges.txt", "model.safetensors");
        Directory.CreateDirectory(SnapshotFolder);
        foreach ((string name, byte[] content) in hub.Files)
            await File.WriteAllBytesAsync(Path.Combine(SnapshotFolder, name), content, Stop);
        Directory.CreateDirectory(Path.Combine(ModelFolder, "refs"));
        await File.WriteAllTextAsync(Path.Combine(ModelFolder, "refs", "v1"), LocalHub.Commit, Stop);

        HubClient client = Client(hub, offline: true);
        Assert.Equal(SnapshotFolder, await client.GetSnapshotAsync("owner/model", "v1", cancellationToken: Stop));
        Assert.Equal(SnapshotFolder, await client.GetSnapshotAsync("owner/model", LocalHub.Commit, cancellationToken: Stop));
        await Assert.ThrowsAsync<HubException>(() => client.GetSnapshotAsync("owner/model", "main", cancellationToken: Stop));
    }

    [Theory]
    [InlineData("../../elsewhere")]
    [InlineData("")]
    public async Task Reference_that_holds_no_commit_is_not_followed(string content)
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        Directory.CreateDirectory(Path.Combine(ModelFolder, "refs"));
        string reference = Path.Combine(ModelFolder, "refs", "main");
        await File.WriteAllTextAsync(reference, content, Stop);

        AssertHolds(hub, await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));
        Assert.Equal(LocalHub.Commit, await File.ReadAllTextAsync(reference, Stop));
    }

    [Fact]
    public async Task Cache_without_symbolic_links_holds_plain_files()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();

        string folder = await Client(hub, useSymbolicLinks: false).GetSnapshotAsync("owner/model", cancellationToken: Stop);
        hub.Requests.Clear();
        await Client(hub, useSymbolicLinks: false, offline: true).GetSnapshotAsync("owner/model", cancellationToken: Stop);

        AssertHolds(hub, folder);
        Assert.All(Directory.GetFiles(folder), path => Assert.Null(new FileInfo(path).LinkTarget));
        Assert.Empty(Directory.GetFiles(BlobFolder));
    }

    [Fact]
    public async Task Revision_of_a_moved_model_is_followed_to_its_new_name()
    {
        using LocalHub hub = new LocalHub("owner/renamed").WithTinyModel();
        hub.Intercept = context =>
        {
            string path = context.Request.Url!.AbsolutePath;
            if (!path.Contains("/owner/model/", StringComparison.Ordinal))
                return false;
            context.Response.StatusCode = 307;
            context.Response.Headers["Location"] = path.Replace("/owner/model/", "/owner/renamed/", StringComparison.Ordinal);
            context.Response.Close();
            return true;
        };

        AssertHolds(hub, await Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop));
    }

    [Fact]
    public async Task Two_clients_at_once_give_one_intact_result()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();

        string[] folders = await Task.WhenAll(Enumerable.Range(0, 4).Select(
            _ => Task.Run(() => Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop), Stop)));

        Assert.All(folders, folder => Assert.Equal(SnapshotFolder, folder));
        AssertHolds(hub, SnapshotFolder);
        Assert.All(hub.Files.Keys, name => Assert.Single(hub.Downloads(name)));
        Assert.Empty(Directory.GetFiles(CacheFolder, "*.incomplete", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Blob_that_another_program_is_writing_is_waited_for()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        string locks = Path.Combine(CacheFolder, ".locks", "models--owner--model");
        Directory.CreateDirectory(locks);
        string hash = LocalHub.HashOf("config.json", hub.Files["config.json"]);
        Task<string> download;
        await using (new FileStream(Path.Combine(locks, hash + ".lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            download = Client(hub).GetSnapshotAsync("owner/model", cancellationToken: Stop);
            await Task.Delay(300, Stop);
            Assert.False(download.IsCompleted);
            Assert.Empty(hub.Downloads("config.json"));
        }

        AssertHolds(hub, await download);
    }

    [Fact]
    public async Task Progress_ends_with_the_last_byte_and_comes_ten_times_a_second_at_most()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();
        Recorder recorder = new();
        long start = Stopwatch.GetTimestamp();

        await Client(hub).GetSnapshotAsync("owner/model", progress: recorder, cancellationToken: Stop);

        long size = hub.Files["model.safetensors"].Length;
        double tenthsOfSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds * 10;
        Assert.Equal(new DownloadProgress("config.json", 729, 729, 1, 8), recorder.Reports[0]);
        Assert.Equal(new DownloadProgress("model.safetensors", size, size, 8, 8), recorder.Reports[^1]);
        Assert.All(recorder.Reports, report => Assert.InRange(report.BytesDone, 0, report.BytesTotal));
        Assert.InRange(recorder.Reports.Count, 2, 2 + (int)tenthsOfSeconds);
    }

    private sealed class Recorder : IProgress<DownloadProgress>
    {
        public List<DownloadProgress> Reports { get; } = [];

        public void Report(DownloadProgress value) => Reports.Add(value);
    }
}
