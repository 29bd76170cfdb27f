using MLTransfer.Torch.Checkpoints.Hub;
using Xunit;

namespace MLTransfer.Torch.Tests.Checkpoints.Hub;

/// <summary>A cache folder of its own and clients with short pauses for each test.</summary>
public abstract class HubTest : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private protected string CacheFolder => _folder.Path;

    private protected string ModelFolder => Path.Combine(CacheFolder, "models--owner--model");

    private protected string BlobFolder => Path.Combine(ModelFolder, "blobs");

    private protected string SnapshotFolder => Path.Combine(ModelFolder, "snapshots", LocalHub.Commit);

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected HubClient Client(
        LocalHub hub, string? token = null, bool offline = false, bool useSymbolicLinks = true, double timeoutSeconds = 10) =>
        new(new HubOptions
        {
            Endpoint = hub.Endpoint,
            CacheFolder = CacheFolder,
            Token = token,
            Offline = offline,
            UseSymbolicLinks = useSymbolicLinks,
            RetryDelay = TimeSpan.FromMilliseconds(2),
            Timeout = TimeSpan.FromSeconds(timeoutSeconds),
        });

    private protected static void AssertHolds(LocalHub hub, string folder)
    {
        foreach ((string name, byte[] content) in hub.Files)
            Assert.True(content.AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(folder, name))), name);
    }

    private protected string BlobPath(LocalHub hub, string file) => Path.Combine(BlobFolder, LocalHub.HashOf(file, hub.Files[file]));
}
