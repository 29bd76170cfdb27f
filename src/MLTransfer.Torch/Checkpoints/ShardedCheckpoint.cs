using System.Text.Json;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>
/// Weights in several files with an index, <c>{"metadata": {...}, "weight_map": {"tensor": "file", ...}}</c>, as transformers writes them.
/// A shard is opened once, when the first of its tensors is asked for.
/// </summary>
internal sealed class ShardedCheckpoint : Checkpoint
{
    private const long MaximumIndexLength = 100_000_000;

    private readonly Dictionary<string, Lazy<Checkpoint>> _shardOfTensor;
    private readonly List<Lazy<Checkpoint>> _shards;
    private readonly Lazy<IReadOnlyDictionary<string, TensorInfo>> _tensors;
    private volatile bool _disposed;

    private ShardedCheckpoint(string location, Dictionary<string, Lazy<Checkpoint>> shardOfTensor, List<Lazy<Checkpoint>> shards)
        : base(location)
    {
        _shardOfTensor = shardOfTensor;
        _shards = shards;
        _tensors = new(() => shardOfTensor.ToDictionary(tensor => tensor.Key, tensor => InfoOf(tensor.Key, tensor.Value.Value)));
    }

    public override IReadOnlyDictionary<string, TensorInfo> Tensors
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _tensors.Value;
        }
    }

    public static ShardedCheckpoint Open(string indexPath, Func<string, Checkpoint> openShard)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(indexPath))!;
        var shards = new Dictionary<string, Lazy<Checkpoint>>();
        var shardOfTensor = new Dictionary<string, Lazy<Checkpoint>>();
        foreach (var (tensor, file) in ReadWeightMap(indexPath))
        {
            if (!shards.TryGetValue(file, out Lazy<Checkpoint>? shard))
            {
                string path = Path.Combine(folder, file);
                if (!File.Exists(path))
                {
                    throw new FileNotFoundException(
                        $"The shard '{file}' that '{indexPath}' names for tensor '{tensor}' is missing from the folder.", path);
                }
                shards.Add(file, shard = new Lazy<Checkpoint>(() => openShard(path)));
            }
            shardOfTensor.Add(tensor, shard);
        }
        return new ShardedCheckpoint(indexPath, shardOfTensor, [.. shards.Values]);
    }

    public override Tensor Read(string name)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!_shardOfTensor.TryGetValue(name, out Lazy<Checkpoint>? shard)) throw Missing(name);
        InfoOf(name, shard.Value);
        return shard.Value.Read(name);
    }

    protected override void Dispose(bool disposing)
    {
        _disposed = true;
        foreach (Lazy<Checkpoint> shard in _shards)
        {
            if (shard.IsValueCreated) shard.Value.Dispose();
        }
    }

    private TensorInfo InfoOf(string name, Checkpoint shard) => shard.Tensors.TryGetValue(name, out TensorInfo? info)
        ? info
        : throw new InvalidDataException($"'{Location}' says that '{shard.Location}' holds the tensor '{name}', which it does not.");

    private static List<(string Tensor, string File)> ReadWeightMap(string indexPath)
    {
        using var stream = new FileStream(indexPath, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        if (stream.Length > MaximumIndexLength)
            throw Invalid(indexPath, $"it is {stream.Length} bytes long; at most {MaximumIndexLength} are read");
        var weights = new List<(string, string)>();
        try
        {
            using JsonDocument index = JsonDocument.Parse(stream, new JsonDocumentOptions { AllowDuplicateProperties = false });
            if (index.RootElement.ValueKind != JsonValueKind.Object || !index.RootElement.TryGetProperty("weight_map", out JsonElement map)
                || map.ValueKind != JsonValueKind.Object)
                throw Invalid(indexPath, "it has no object 'weight_map'");
            foreach (JsonProperty weight in map.EnumerateObject())
            {
                string? file = weight.Value.ValueKind == JsonValueKind.String ? weight.Value.GetString() : null;
                if (!IsPlainFileName(file))
                    throw Invalid(indexPath, $"tensor '{weight.Name}' is in '{file}'; expected the name of a file in the same folder");
                weights.Add((weight.Name, file!));
            }
        }
        // The parser's own exceptions: invalid JSON, and strings that are not valid UTF-8 or UTF-16.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"'{indexPath}' is not a valid index of shards: {exception.Message}", exception);
        }
        return weights;
    }

    /// <summary>Whether a name stays inside the folder on every system: no separators, drives, streams or dots alone.</summary>
    private static bool IsPlainFileName(string? name) => !string.IsNullOrWhiteSpace(name) && name is not ("." or "..")
        && name.IndexOfAny(['/', '\\', ':']) < 0 && !name.Any(char.IsControl);

    private static InvalidDataException Invalid(string indexPath, string problem) =>
        new($"'{indexPath}' is not a valid index of shards: {problem}.");
}
