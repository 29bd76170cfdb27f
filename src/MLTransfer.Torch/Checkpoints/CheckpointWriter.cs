using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using MLTransfer.Torch.Checkpoints.Safetensors;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>
/// Writes weights into a folder as Hugging Face's transformers does: <c>model.safetensors</c>, or shards
/// <c>model-00001-of-0000N.safetensors</c> with <c>model.safetensors.index.json</c> where one file would be too large.
/// </summary>
public static partial class CheckpointWriter
{
    /// <summary>The largest shard that transformers writes unless told otherwise: 5 GB.</summary>
    public const long DefaultMaximumShardBytes = 5_000_000_000;

    /// <summary>
    /// Writes the weights and removes files of weights (safetensors) that an earlier call left in the folder. Each file is written aside
    /// and renamed into place; to replace all files of a folder in one step, write inside <see cref="AtomicFolder.Write"/>.
    /// </summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="tensors">The tensors; their order decides which shard each goes to.</param>
    /// <param name="storeAs">
    /// Float16, BFloat16, Float32 or Float64: the type in which floating-point tensors are stored; null for each one's own.
    /// </param>
    /// <param name="maximumShardBytes">The most bytes of tensors in a file; a single larger tensor gets a file of its own.</param>
    /// <exception cref="ArgumentException">A name occurs twice, or the format has no such name or element type.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="IOException">A file cannot be written, for example because the disk is full.</exception>
    public static void Write(string folder, IEnumerable<KeyValuePair<string, Tensor>> tensors, ScalarType? storeAs = null,
        long maximumShardBytes = DefaultMaximumShardBytes)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maximumShardBytes);
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"The folder '{folder}' for the weights does not exist.");

        List<KeyValuePair<string, Tensor>> all = [.. tensors];
        SafetensorsWriter.Check(all, storeAs);
        List<List<KeyValuePair<string, Tensor>>> shards = Split(all, storeAs, maximumShardBytes);
        var written = new HashSet<string>();
        if (shards.Count == 1)
        {
            SafetensorsWriter.Write(Path.Combine(folder, CheckpointFiles.Safetensors), shards[0], storeAs: storeAs);
            written.Add(CheckpointFiles.Safetensors);
        }
        else
        {
            for (int index = 0; index < shards.Count; index++)
            {
                string file = ShardName(index, shards.Count);
                SafetensorsWriter.Write(Path.Combine(folder, file), shards[index], storeAs: storeAs);
                written.Add(file);
            }
            AtomicFile.WriteAllText(Path.Combine(folder, CheckpointFiles.SafetensorsIndex), Index(shards, storeAs));
            written.Add(CheckpointFiles.SafetensorsIndex);
        }
        foreach (string file in Directory.EnumerateFiles(folder).Where(file => Weights.IsMatch(Path.GetFileName(file))))
        {
            if (!written.Contains(Path.GetFileName(file))) File.Delete(file);
        }
    }

    private static string ShardName(int index, int count) => $"model-{index + 1:D5}-of-{count:D5}.safetensors";

    /// <summary>The rule of huggingface_hub's split_state_dict_into_shards_factory, so that the same tensors give the same files.</summary>
    private static List<List<KeyValuePair<string, Tensor>>> Split(
        List<KeyValuePair<string, Tensor>> tensors, ScalarType? storeAs, long maximumShardBytes)
    {
        var shards = new List<List<KeyValuePair<string, Tensor>>>();
        var current = new List<KeyValuePair<string, Tensor>>();
        long currentBytes = 0;
        foreach (var tensor in tensors)
        {
            long bytes = SafetensorsWriter.StoredBytes(tensor.Value, storeAs);
            if (bytes > maximumShardBytes)
            {
                shards.Add([tensor]);
                continue;
            }
            if (current.Count > 0 && bytes > maximumShardBytes - currentBytes)
            {
                shards.Add(current);
                current = [];
                currentBytes = 0;
            }
            current.Add(tensor);
            currentBytes += bytes;
        }
        if (current.Count > 0 || shards.Count == 0) shards.Add(current);
        return shards;
    }

    private static string Index(List<List<KeyValuePair<string, Tensor>>> shards, ScalarType? storeAs)
    {
        using var stream = new MemoryStream();
        var options = new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var json = new Utf8JsonWriter(stream, options))
        {
            json.WriteStartObject();
            json.WriteStartObject("metadata");
            json.WriteNumber("total_parameters", shards.Sum(shard => shard.Sum(tensor => tensor.Value.numel())));
            json.WriteNumber("total_size", shards.Sum(shard => shard.Sum(tensor => SafetensorsWriter.StoredBytes(tensor.Value, storeAs))));
            json.WriteEndObject();
            json.WriteStartObject("weight_map");
            foreach (var (name, file) in shards
                .SelectMany((shard, index) => shard.Select(tensor => (tensor.Key, ShardName(index, shards.Count))))
                .OrderBy(entry => entry.Key, StringComparer.Ordinal))
                json.WriteString(name, file);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    [GeneratedRegex(@"^model(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?$")]
    private static partial Regex Weights { get; }
}
