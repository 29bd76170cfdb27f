namespace MLTransfer.Torch.Tests.Checkpoints.Hub;

internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("mltransfer-hub-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
