using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>
/// Weights in several files with an index, as transformers writes them.
/// A shard is opened once, when the first of its tensors is asked for.
/// </summary>
internal sealed class ShardedCheckpoint : Checkpoint
{
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
        foreach (var (tensor, file) in ShardIndex.Read(indexPath))
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

    internal override void ReleaseMemory(string name) => _shardOfTensor[name].Value.ReleaseMemory(name);

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
}
