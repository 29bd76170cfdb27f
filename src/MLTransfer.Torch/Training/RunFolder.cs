using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Training;

/// <summary>
/// The folder of a run: the one that its files stay in, or one that goes with the run. It belongs to this run alone until it is disposed.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    private readonly IDisposable _lock;

    /// <param name="outputDirectory">Where files stay; null for a folder of the system's for temporary ones.</param>
    /// <exception cref="IOException">It cannot be made, or another run has it.</exception>
    public RunFolder(string? outputDirectory)
    {
        OutputDirectory = outputDirectory;
        if (outputDirectory is not null)
        {
            Path = outputDirectory;
            Directory.CreateDirectory(Path);
            _lock = RunLock.Take(Path);
            TemporarySibling.DeleteAllAbandoned(System.IO.Path.GetFullPath(Path));
        }
        else
        {
            var name = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "mltransfer-run");
            TemporarySibling.DeleteAbandonedFolders(name);
            (Path, _lock) = TemporarySibling.LockNewFolder(name);
            Directory.CreateDirectory(Path);
        }

        Start = new WeightSnapshot(System.IO.Path.Combine(Path, "start-weights.safetensors"));
        Best = new WeightSnapshot(System.IO.Path.Combine(Path, "best-weights.safetensors"));
    }

    /// <summary>Null where no file stays.</summary>
    public string? OutputDirectory { get; }

    public string Path { get; }

    /// <summary>The weights before the first step.</summary>
    public WeightSnapshot Start { get; }

    /// <summary>The best weights so far.</summary>
    public WeightSnapshot Best { get; }

    /// <summary>Deletes what is of use during the run alone.</summary>
    public void Dispose()
    {
        try
        {
            if (!Directory.Exists(Path))
                return;
            if (OutputDirectory is null)
            {
                Directory.Delete(Path, recursive: true);
                return;
            }

            Start.Delete();
            Best.Delete();
        }
        finally
        {
            _lock.Dispose();
        }
    }
}
