using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Language;

/// <summary>Identifies what makes a run's result, so that it is not resumed with anything else.</summary>
internal static class RunFingerprint
{
    /// <summary>Elements that are hashed at a time.</summary>
    private const long ChunkLength = 1 << 22;

    /// <summary>Options that do not change the weights a run ends with.</summary>
    private static readonly string[] Irrelevant =
    [
        nameof(LanguageTrainingOptions.OutputDirectory), nameof(LanguageTrainingOptions.Resume),
        nameof(LanguageTrainingOptions.CheckpointSteps), nameof(LanguageTrainingOptions.CheckpointLimit),
    ];

    /// <summary>
    /// A hash of the rows, the options, dropout, adapters, the names and shapes of trained parameters, and the values of frozen ones:
    /// a checkpoint brings back the trained values, but relies on the rest.
    /// </summary>
    public static string Compute(
        CausalLanguageModel model, LanguageTrainingOptions options, IReadOnlyList<TrainingExample> training, IReadOnlyList<TrainingExample> validation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var settings = JsonSerializer.SerializeToNode(options)!.AsObject();
        foreach (var name in Irrelevant)
            settings.Remove(name);
        Text(settings.ToJsonString());
        Text(JsonSerializer.Serialize(model.Dropout));
        Text(JsonSerializer.Serialize(model.Lora));

        foreach (var (name, parameter) in model.TrainableParameters())
            Text($"{name} [{string.Join(',', parameter.shape)}] {parameter.dtype}");
        foreach (var (name, parameter) in model.named_parameters().Where(p => !p.parameter.requires_grad))
        {
            Text($"{name} [{string.Join(',', parameter.shape)}] {parameter.dtype}");
            Values(hash, parameter);
        }

        foreach (var rows in (IReadOnlyList<TrainingExample>[])[training, validation])
        {
            Number(rows.Count);
            foreach (var row in rows)
            {
                Numbers(row.InputIds);
                Numbers(row.Labels);
                Numbers(row.SequenceIds ?? []);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());

        // Everything of variable length is preceded by its length.
        void Text(string text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            Number(bytes.Length);
            hash.AppendData(bytes);
        }

        void Numbers(int[] numbers)
        {
            Number(numbers.Length);
            hash.AppendData(MemoryMarshal.AsBytes<int>(numbers));
        }

        void Number(int number) => hash.AppendData(BitConverter.GetBytes(number));
    }

    /// <summary>Adds the elements of a tensor.</summary>
    internal static unsafe void Values(IncrementalHash hash, Tensor tensor)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var flat = tensor.detach().contiguous().view(-1); // [elements]
        for (long start = 0, count = flat.numel(); start < count; start += ChunkLength)
        {
            using var chunkScope = NewDisposeScope();
            var chunk = flat.narrow(0, start, Math.Min(ChunkLength, count - start)).cpu();
            var bytes = (int)chunk.numel() * NativeTensor.ElementSize(chunk.dtype);
            hash.AppendData(new ReadOnlySpan<byte>(NativeTensor.Pointer(chunk), bytes));
            GC.KeepAlive(chunk);
        }
    }
}
