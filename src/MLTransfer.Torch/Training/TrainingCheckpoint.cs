using System.Globalization;
using System.Text.Json;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Models;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Training;

/// <summary>
/// The folders <c>checkpoint-N</c> of a run: the model (or its adapters) in Hugging Face layout, <c>optimizer.safetensors</c>, <c>trainer_state.json</c>
/// and the best weights so far, where there are validation rows.
/// </summary>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="Folder">Where it is.</param>
internal sealed record TrainingCheckpoint(int Step, string Folder)
{
    private const string Prefix = "checkpoint-";
    private const string OptimizerFile = "optimizer.safetensors";
    private const string StateFile = "trainer_state.json";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    /// <summary>Writes a checkpoint, then removes the oldest ones over the limit.</summary>
    /// <exception cref="IOException">The checkpoint could not be written, for example because the disk is full. Earlier ones are as they were.</exception>
    public static void Write(
        string outputDirectory, CausalLanguageModel model, TextTokenizer? tokenizer, AdamW optimizer, TrainerState state, WeightSnapshot best, int limit)
    {
        var folder = Path.Combine(outputDirectory, Prefix + state.Step.ToString(CultureInfo.InvariantCulture));
        try
        {
            AtomicFolder.Write(folder, inside =>
            {
                if (model.Lora is null)
                    model.Save(inside);
                else
                    PeftAdapterFolder.Save(model, inside);
                tokenizer?.Save(inside);
                SafetensorsWriter.Write(Path.Combine(inside, OptimizerFile), optimizer.State);
                best.CopyInto(inside);
                File.WriteAllText(Path.Combine(inside, StateFile), JsonSerializer.Serialize(state, Json));
            });
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException
            or ArgumentOutOfRangeException) // what .NET makes of a file larger than the file system or a quota allows
        {
            throw new IOException(
                $"The checkpoint '{folder}' could not be written; earlier checkpoints are as they were. Make room or set "
                + $"{nameof(TrainingOptions.CheckpointLimit)}, then go on with {nameof(TrainingOptions.Resume)}. {exception.Message}", exception);
        }

        var all = List(outputDirectory);
        foreach (var old in all.Take(limit > 0 ? Math.Max(0, all.Count - limit) : 0))
            old.Delete();
    }

    /// <summary>The newest whole checkpoint of a run, or null.</summary>
    /// <param name="outputDirectory">The run's folder.</param>
    /// <param name="lastStep">Later ones do not count.</param>
    public static TrainingCheckpoint? Newest(string outputDirectory, int lastStep = int.MaxValue) =>
        List(outputDirectory).LastOrDefault(checkpoint => checkpoint.Step <= lastStep);

    /// <summary>Removes all checkpoints, because a new run starts in the folder.</summary>
    public static void DeleteAll(string outputDirectory) => List(outputDirectory).ForEach(checkpoint => checkpoint.Delete());

    /// <summary>Removes what a process that was killed while it wrote a checkpoint left behind.</summary>
    public static void DeleteAbandoned(string outputDirectory)
    {
        foreach (var entry in Directory.EnumerateFileSystemEntries(outputDirectory, Prefix + "*.tmp-*").ToList())
            TemporarySibling.DeleteAbandonedFolders(entry[..entry.LastIndexOf(".tmp-", StringComparison.Ordinal)]);
    }

    /// <summary>Brings model and optimizer to the checkpoint's state. Nothing is changed where the checkpoint is refused.</summary>
    /// <param name="model">Gets the weights.</param>
    /// <param name="optimizer">Gets the running means and the number of updates.</param>
    /// <param name="fingerprint">That of the run that is to go on.</param>
    /// <param name="best">Becomes the best weights so far.</param>
    /// <exception cref="InvalidDataException">The checkpoint is malformed, or belongs to other data, options or another model.</exception>
    public TrainerState Resume(CausalLanguageModel model, AdamW optimizer, string fingerprint, WeightSnapshot best)
    {
        var state = ReadState();
        if (state.Fingerprint != fingerprint)
        {
            throw new InvalidDataException(
                $"{Folder} was made with other training rows, other options or another model. Resume with the same, "
                + $"or choose another {nameof(TrainingOptions.OutputDirectory)}, or set {nameof(TrainingOptions.Resume)} to false to start anew.");
        }

        try
        {
            using var optimizerState = SafetensorsFile.Open(Path.Combine(Folder, OptimizerFile));
            WeightSnapshot.Check(optimizer.State, optimizerState);
            best.CopyFrom(Folder, model);
            if (state.BestValidationLoss is not null && !best.Exists)
                throw new FileNotFoundException($"The best weights that {StateFile} tells of are missing.");
            RestoreWeights(model);
            WeightSnapshot.CopyInto(optimizer.State, optimizerState);
            optimizer.StepCount = state.Step;
        }
        catch (Exception exception) when (exception is InvalidDataException or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidDataException(
                $"The checkpoint '{Folder}' is damaged. Delete it to go on from the one before, if there is one. {exception.Message}", exception);
        }

        return state;
    }

    /// <summary>Copies the checkpoint's weights into the model.</summary>
    public void RestoreWeights(CausalLanguageModel model)
    {
        using var weights = model.Lora is null
            ? Checkpoint.Open(Folder)
            : SafetensorsFile.Open(Path.Combine(Folder, PeftAdapterFolder.WeightsFileName));
        WeightSnapshot.CopyInto(WeightSnapshot.TrainableWeights(model, model.Lora is null ? "" : PeftAdapterFolder.NamePrefix), weights);
    }

    private static List<TrainingCheckpoint> List(string outputDirectory) =>
        !Directory.Exists(outputDirectory) ? [] :
        [
            .. Directory.EnumerateDirectories(outputDirectory, Prefix + "*")
                .Where(folder => File.Exists(Path.Combine(folder, StateFile)))
                .Select(folder => new TrainingCheckpoint(StepOf(folder), folder))
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

    private TrainerState ReadState()
    {
        var path = Path.Combine(Folder, StateFile);
        TrainerState? state;
        try
        {
            state = JsonSerializer.Deserialize<TrainerState>(File.ReadAllBytes(path));
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
