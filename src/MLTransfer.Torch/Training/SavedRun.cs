using System.Globalization;
using System.Text.Json;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Training;

/// <summary>A run as it was after a step: a folder <c>checkpoint-N</c>. <c>trainer_state.json</c> in it is what makes it count.</summary>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="Folder">Where it is.</param>
internal sealed record SavedRun(int Step, string Folder)
{
    public const string StateFile = "trainer_state.json";

    private const string Prefix = "checkpoint-";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, RespectNullableAnnotations = true };

    /// <summary>Saves a run, then removes the oldest folders over the limit.</summary>
    /// <param name="outputDirectory">The run's folder.</param>
    /// <param name="state">What the run knows.</param>
    /// <param name="limit">How many are kept; 0 for all.</param>
    /// <param name="writeInto">Writes everything else.</param>
    /// <exception cref="IOException">The folder could not be written, for example because the disk is full. Earlier ones are as they
    /// were.</exception>
    public static void Write(string outputDirectory, RunState state, int limit, Action<string> writeInto)
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
                + $"{nameof(TrainingOptions.CheckpointLimit)}, then go on with {nameof(TrainingOptions.Resume)}. {exception.Message}",
                exception);
        }

        var all = List(outputDirectory);
        foreach (var old in all.Take(limit > 0 ? Math.Max(0, all.Count - limit) : 0))
            AtomicFolder.Delete(old.Folder);
    }

    /// <summary>The newest whole folder of a run, or null.</summary>
    /// <param name="outputDirectory">The run's folder.</param>
    /// <param name="lastStep">Later ones do not count.</param>
    public static SavedRun? Newest(string outputDirectory, int lastStep = int.MaxValue) =>
        List(outputDirectory).LastOrDefault(saved => saved.Step <= lastStep);

    /// <summary>Removes all of them, because a new run starts in the folder.</summary>
    public static void DeleteAll(string outputDirectory) => List(outputDirectory).ForEach(saved => AtomicFolder.Delete(saved.Folder));

    /// <summary>Brings a run to the saved state.</summary>
    /// <param name="fingerprint">That of the run that is to go on.</param>
    /// <param name="restore">Checks the other files, then takes what is in them; nothing is changed where one is refused.</param>
    /// <exception cref="InvalidDataException">The folder is malformed, or belongs to other data, options or another model.</exception>
    public RunState Resume(string fingerprint, Action<RunState> restore)
    {
        var state = ReadState();
        if (state.Fingerprint != fingerprint)
        {
            throw new InvalidDataException(
                $"{Folder} was made with other training rows, other options or another model. Resume with the same, "
                + $"or choose another {nameof(TrainingOptions.OutputDirectory)}, or set "
                + $"{nameof(TrainingOptions.Resume)} to false to start anew.");
        }

        try
        {
            restore(state);
        }
        catch (Exception exception) when (exception is InvalidDataException or JsonException or FileNotFoundException
            or DirectoryNotFoundException)
        {
            throw new InvalidDataException(
                $"The checkpoint '{Folder}' is damaged. Delete it to go on from the one before, if there is one. {exception.Message}",
                exception);
        }

        return state;
    }

    /// <summary>What the run computes with; null where that is not said or cannot be read.</summary>
    public TrainingComputation? TryReadComputation()
    {
        try
        {
            return ReadState().Computation;
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return null; // who resumes it is told why
        }
    }

    private static List<SavedRun> List(string outputDirectory) =>
        !Directory.Exists(outputDirectory) ? [] :
        [
            .. Directory.EnumerateDirectories(outputDirectory, Prefix + "*")
                .Where(folder => File.Exists(Path.Combine(folder, StateFile)))
                .Select(folder => new SavedRun(StepOf(folder), folder))
                .Where(saved => saved.Step >= 0)
                .OrderBy(saved => saved.Step),
        ];

    private static int StepOf(string folder) =>
        int.TryParse(Path.GetFileName(folder)[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : -1;

    private RunState ReadState()
    {
        var path = Path.Combine(Folder, StateFile);
        var state = JsonContent.Deserialize<RunState>(FileKind.Configuration.Read(path), path, Json);
        if (state.Updates.Any(count => count < 0))
            throw new InvalidDataException($"{path} is malformed: a number of updates is negative.");
        if (state.Step != Step)
            throw new InvalidDataException($"{path} tells of step {state.Step}; expected {Step}, as the folder's name says.");
        return state;
    }
}
