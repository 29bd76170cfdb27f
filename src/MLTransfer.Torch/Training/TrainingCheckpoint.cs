using System.Globalization;
using System.Text.Json;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Models;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tokenization;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training;

/// <summary>
/// The folders <c>checkpoint-N</c> of a run: the model (or its adapters) in Hugging Face layout, <c>optimizer.safetensors</c>, <c>trainer_state.json</c>
/// and the best weights so far, where there are validation rows.
/// </summary>
internal static class TrainingCheckpoint
{
    private const string Prefix = "checkpoint-";
    private const string OptimizerFile = "optimizer.safetensors";
    private const string StateFile = "trainer_state.json";
    private const string AdapterNamePrefix = "base_model.model.";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    /// <summary>Writes a checkpoint, then removes the oldest ones over the limit.</summary>
    public static string Write(
        string outputDirectory, CausalLanguageModel model, TextTokenizer? tokenizer, AdamW optimizer, TrainerState state, WeightSnapshot best, int limit)
    {
        var folder = Path.Combine(outputDirectory, Prefix + state.Step.ToString(CultureInfo.InvariantCulture));
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

        var all = List(outputDirectory);
        foreach (var (_, old) in all.Take(limit > 0 ? Math.Max(0, all.Count - limit) : 0))
            Directory.Delete(old, recursive: true);
        return folder;
    }

    /// <summary>The newest checkpoint of a run, or null.</summary>
    public static string? Newest(string outputDirectory) => List(outputDirectory).LastOrDefault().Folder;

    /// <summary>Removes all checkpoints, because a new run starts in the folder.</summary>
    public static void DeleteAll(string outputDirectory)
    {
        foreach (var (_, folder) in List(outputDirectory))
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>Brings model and optimizer to the checkpoint's state.</summary>
    /// <exception cref="InvalidDataException">The checkpoint is malformed, or belongs to other data, options or another model.</exception>
    public static TrainerState Resume(string folder, CausalLanguageModel model, AdamW optimizer, string fingerprint, WeightSnapshot best)
    {
        var path = Path.Combine(folder, StateFile);
        TrainerState state;
        try
        {
            state = JsonSerializer.Deserialize<TrainerState>(File.ReadAllBytes(path))
                ?? throw new InvalidDataException($"{path} is empty.");
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"{path} is malformed: {exception.Message}", exception);
        }

        if (state.Fingerprint != fingerprint)
        {
            throw new InvalidDataException(
                $"{folder} was made with other training rows, other options or another model. Resume with the same, "
                + $"or choose another {nameof(TrainingOptions.OutputDirectory)}, or set {nameof(TrainingOptions.Resume)} to false to start anew.");
        }

        RestoreWeights(folder, model);
        using var file = SafetensorsFile.Open(Path.Combine(folder, OptimizerFile));
        using var gradients = no_grad();
        foreach (var (name, tensor) in optimizer.State)
        {
            using var stored = file.Read(name);
            tensor.copy_(stored);
        }

        optimizer.StepCount = state.Step;
        best.CopyFrom(folder);
        return state;
    }

    /// <summary>Copies the checkpoint's weights into the model.</summary>
    public static void RestoreWeights(string folder, CausalLanguageModel model)
    {
        using var weights = model.Lora is null
            ? Checkpoint.Open(folder)
            : SafetensorsFile.Open(Path.Combine(folder, PeftAdapterFolder.WeightsFileName));
        WeightSnapshot.Restore(model, weights, model.Lora is null ? "" : AdapterNamePrefix);
    }

    private static List<(int Step, string Folder)> List(string outputDirectory) =>
        !Directory.Exists(outputDirectory) ? [] :
        [
            .. Directory.EnumerateDirectories(outputDirectory, Prefix + "*")
                .Where(folder => File.Exists(Path.Combine(folder, StateFile)))
                .Select(folder => (Step: int.TryParse(Path.GetFileName(folder)[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : -1, folder))
                .Where(c => c.Step >= 0)
                .OrderBy(c => c.Step),
        ];
}
