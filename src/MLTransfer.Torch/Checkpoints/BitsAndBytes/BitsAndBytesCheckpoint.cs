using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints.BitsAndBytes;

/// <summary>A checkpoint whose matrices bitsandbytes has packed in 4 bits, with the values that they stand for.</summary>
internal sealed class BitsAndBytesCheckpoint : Checkpoint
{
    private const string Entry = "quantization_config";

    private readonly Checkpoint _file;
    private readonly Dictionary<string, QuantizedTensor> _quantized;

    private BitsAndBytesCheckpoint(Checkpoint file)
        : base(file.Location)
    {
        _file = file;
        _quantized = QuantizedTensor.Find(file);
        Tensors = file.Tensors.Where(tensor => !QuantizedTensor.IsPart(tensor.Key, _quantized)).ToDictionary(
            tensor => tensor.Key, tensor => _quantized.TryGetValue(tensor.Key, out var packed) ? packed.Info : tensor.Value);
    }

    public override IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>
    /// Takes the entry that tells of packed matrices out of a <c>config.json</c>, so that what is left is that of the network.
    /// </summary>
    /// <returns>Whether there was one. That of another method is left for others to refuse.</returns>
    /// <exception cref="NotSupportedException">Matrices are packed in a way that is not read.</exception>
    public static bool TakeEntry(JsonObject configuration, string origin)
    {
        if (configuration[Entry] is not JsonObject content || content["quant_method"]?.ToString() != "bitsandbytes")
            return false;
        var entry = new ConfigurationReader(content, $"{origin}: {Entry}");
        entry.Skip("quant_method", "_load_in_4bit", "_load_in_8bit", "bnb_4bit_compute_dtype"); // what is computed in is ours to choose
        entry.Require("load_in_4bit", true);
        entry.Require("load_in_8bit", false);
        entry.Require("bnb_4bit_quant_storage", "uint8");
        if (entry.Text("bnb_4bit_quant_type", "fp4") is not ("nf4" or "fp4") and var kind)
            throw entry.Unsupported("bnb_4bit_quant_type", $"nf4 and fp4 are read, not {kind}");
        entry.Skip("bnb_4bit_use_double_quant"); // each matrix tells
        entry.RefuseUnread(static key => key.StartsWith("llm_int8_", StringComparison.Ordinal)); // of 8 bits
        configuration.Remove(Entry);
        return true;
    }

    /// <summary>The values of a checkpoint, which the result disposes.</summary>
    /// <exception cref="InvalidDataException">Parts of a matrix are missing, or of a wrong size.</exception>
    /// <exception cref="NotSupportedException">A matrix is packed in a way that is not read.</exception>
    public static Checkpoint Over(Checkpoint file)
    {
        try
        {
            return new BitsAndBytesCheckpoint(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public override Tensor Read(string name)
    {
        if (!Tensors.ContainsKey(name))
            throw Missing(name);
        return _quantized.TryGetValue(name, out var packed) ? packed.Read(_file) : _file.Read(name);
    }

    internal override void ReleaseMemory(string name) => _file.ReleaseMemory(name);

    protected override void Dispose(bool disposing) => _file.Dispose();
}
