using System.Globalization;
using System.Text.Json;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Torch.Training;

/// <summary>A folder <c>checkpoint-N</c> of a run. <c>trainer_state.json</c> in it is what makes it count.</summary>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="Folder">Where it is.</param>
internal sealed record CheckpointFolder(int Step, string Folder)
{
    public const string StateFile = "trainer_state.json";

    private const string Prefix = "checkpoint-";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    /// <summary>Writes a checkpoint, then removes the oldest ones over the limit.</summary>
    /// <param name="outputDirectory">The run's folder.</param>
    /// <param name="state">What the run knows.</param>
    /// <param name="limit">How many are kept; 0 for all.</param>
    /// <param name="writeInto">Writes everything else.</param>
    /// <exception cref="IOException">The checkpoint could not be written, for example because the disk is full. Earlier ones are as they were.</exception>
    public static void Write<TState>(string outputDirectory, TState state, int limit, Action<string> writeInto)
        where TState : RunState
    {
        var folder = Path.Combine(outputDirectory, Prefix + state.Step.ToString(CultureInfo.InvariantCulture));
        try
        {
            AtomicFolder.Write(folder, inside =>
            {
                writeInto(inside);
                File.WriteAllText(Path.Combine(inside, StateFile), JsonSerializer.Serialize(state, Json));
            });
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException
            or ArgumentOutOfRangeException) // what .NET makes of a file larger than the file system or a quota allows
        {
            throw new IOException(
                $"The checkpoint '{folder}' could not be written; earlier checkpoints are as they were. Make room or set "
                + $"{nameof(LanguageTrainingOptions.CheckpointLimit)}, then go on with {nameof(LanguageTrainingOptions.Resume)}. {exception.Message}", exception);
        }

        var all = List(outputDirectory);
        foreach (var old in all.Take(limit > 0 ? Math.Max(0, all.Count - limit) : 0))
            old.Delete();
    }

    /// <summary>The newest whole checkpoint of a run, or null.</summary>
    /// <param name="outputDirectory">The run's folder.</param>
    /// <param name="lastStep">Later ones do not count.</param>
    public static CheckpointFolder? Newest(string outputDirectory, int lastStep = int.MaxValue) =>
        List(outputDirectory).LastOrDefault(checkpoint => checkpoint.Step <= lastStep);

    /// <summary>Removes all checkpoints, because a new run starts in the folder.</summary>
    public static void DeleteAll(string outputDirectory) => List(outputDirectory).ForEach(checkpoint => checkpoint.Delete());

    /// <summary>Removes what a process that was killed while it wrote a checkpoint left behind.</summary>
    public static void DeleteAbandoned(string outputDirectory)
    {
        foreach (var entry in Directory.EnumerateFileSystemEntries(outputDirectory, Prefix + "*.tmp-*").ToList())
            TemporarySibling.DeleteAbandonedFolders(entry[..entry.LastIndexOf(".tmp-", StringComparison.Ordinal)]);
    }

    /// <summary>Brings the run to the checkpoint's state.</summary>
    /// <param name="fingerprint">That of the run that is to go on.</param>
    /// <param name="restore">Checks the other files, then takes what is in them; nothing is changed where one is refused.</param>
    /// <exception cref="InvalidDataException">The checkpoint is malformed, or belongs to other data, options or another model.</exception>
    public TState Resume<TState>(string fingerprint, Action<TState> restore)
        where TState : RunState
    {
        var state = ReadState<TState>();
        if (state.Fingerprint != fingerprint)
        {
            throw new InvalidDataException(
                $"{Folder} was made with other training rows, other options or another model. Resume with the same, "
                + $"or choose another {nameof(LanguageTrainingOptions.OutputDirectory)}, or set {nameof(LanguageTrainingOptions.Resume)} to false to start anew.");
        }

        try
        {
            restore(state);
        }
        catch (Exception exception) when (exception is InvalidDataException or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidDataException(
                $"The checkpoint '{Folder}' is damaged. Delete it to go on from the one before, if there is one. {exception.Message}", exception);
        }

        return state;
    }

    private static List<CheckpointFolder> List(string outputDirectory) =>
        !Directory.Exists(outputDirectory) ? [] :
        [
            .. Directory.EnumerateDirectories(outputDirectory, Prefix + "*")
                .Where(folder => File.Exists(Path.Combine(folder, StateFile)))
                .Select(folder => new CheckpointFolder(StepOf(folder), folder))
                .Where(checkpoint => checkpoint.Step >= 0)
                .OrderBy(checkpoint => checkpoint.Step),
        ];

    private static int StepOf(string folder) =>
        int.TryParse(Path.GetFileName(folder)[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : -1;

    /// <summary>First what makes it count as a checkpoint, so that a half-deleted one is none.</summary>
    private void Delete()
    {
        File.Delete(Path.Combine(Folder, StateFile));
        Directory.Delete(Folder, recursive: true);
    }

    private TState ReadState<TState>()
        where TState : RunState
    {
        var path = Path.Combine(Folder, StateFile);
        TState? state;
        try
        {
            state = JsonSerializer.Deserialize<TState>(File.ReadAllBytes(path));
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"{path} is malformed: {exception.Message}", exception);
        }

        if (state?.Fingerprint is null)
            throw new InvalidDataException($"{path} is malformed: it has no fingerprint of its run.");
        if (state.Step != Step)
            throw new InvalidDataException($"{path} tells of step {state.Step}; expected {Step}, as the folder's name says.");
        return state;
    }
}
