using MLTransfer.Torch.Checkpoints.Gguf;
using MLTransfer.Torch.Checkpoints.Pickle;
using MLTransfer.Torch.Checkpoints.Safetensors;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>
/// Named tensors on disk. Files are mapped into memory: a tensor read is a view of a private copy-on-write mapping, so that the weights
/// exist once and a page takes memory of its own only when it is written to. What is written to a tensor never reaches the file.
/// </summary>
/// <remarks>
/// All members may be called from several threads at a time. Tensors already read stay valid after <see cref="Dispose()"/>: the memory is
/// given back with the last tensor over it. A file must not be truncated in place while it is mapped (the operating system then ends the
/// process on the next access); files that are replaced by rename, as everything in this library writes them, are safe.
/// </remarks>
public abstract class Checkpoint : IDisposable
{
    private protected Checkpoint(string location) => Location = location;

    /// <summary>The file that the tensors come from, as error messages name it.</summary>
    public string Location { get; }

    /// <summary>The tensors by name.</summary>
    /// <exception cref="InvalidDataException">A shard's header is not valid.</exception>
    /// <exception cref="ObjectDisposedException">The checkpoint is disposed.</exception>
    public abstract IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>
    /// Opens the weights in a folder in Hugging Face layout. The first of these that is there is taken: <c>model.safetensors</c>,
    /// <c>model.safetensors.index.json</c> with its shards, <c>pytorch_model.bin</c>, <c>pytorch_model.bin.index.json</c> with its shards,
    /// <c>encoder.safetensors</c> with <c>decoder.safetensors</c>, whose names then begin with <c>encoder.</c> and <c>decoder.</c>.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">None of the files, or not every shard, is there.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or of a kind that is not read; the message names it.</exception>
    public static Checkpoint Open(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException(File.Exists(folder)
                ? $"'{folder}' is a file; expected the folder that holds the checkpoint."
                : $"The checkpoint folder '{folder}' does not exist.");
        }

        string safetensors = Path.Combine(folder, CheckpointFiles.Safetensors);
        if (File.Exists(safetensors)) return SafetensorsFile.Open(safetensors);
        string safetensorsIndex = Path.Combine(folder, CheckpointFiles.SafetensorsIndex);
        if (File.Exists(safetensorsIndex)) return ShardedCheckpoint.Open(safetensorsIndex, SafetensorsFile.Open);
        string pickle = Path.Combine(folder, CheckpointFiles.Pickle);
        if (File.Exists(pickle)) return PickledFile.Open(pickle);
        string pickleIndex = Path.Combine(folder, CheckpointFiles.PickleIndex);
        if (File.Exists(pickleIndex)) return ShardedCheckpoint.Open(pickleIndex, PickledFile.Open);
        string encoder = Path.Combine(folder, CheckpointFiles.Encoder), decoder = Path.Combine(folder, CheckpointFiles.Decoder);
        if (File.Exists(encoder) && File.Exists(decoder)) return JoinedCheckpoint.Open(
            folder, ("encoder.", encoder), ("decoder.", decoder));

        throw new FileNotFoundException($"The folder '{folder}' holds no weights; expected {CheckpointFiles.Safetensors}, " +
            $"{CheckpointFiles.SafetensorsIndex}, {CheckpointFiles.Pickle} or {CheckpointFiles.PickleIndex}.");
    }

    /// <summary>
    /// Opens one file of weights, safetensors, GGUF or what <c>torch.save</c> wrote, which its contents tell. Tensors of GGUF in quantized
    /// formats are read as float32.
    /// </summary>
    /// <param name="path">
    /// The file, such as <c>weights.safetensors</c>, <c>model.gguf</c>, <c>weights.pt</c> or <c>pytorch_model.bin</c>.
    /// </param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or of a kind that is not read; the message names it.</exception>
    public static Checkpoint OpenFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (GgufFile.Is(path))
            return GgufFile.Open(path);

        // The header of a zip read as the length of a safetensors file's header would be far too large, so the two cannot be mistaken.
        return PickledFile.IsZip(path) || Path.GetExtension(path) is ".pt" or ".pth" or ".bin" or ".ckpt"
            ? PickledFile.Open(path)
            : SafetensorsFile.Open(path);
    }

    /// <summary>
    /// Reads one tensor, onto the CPU, in the element type and shape that <see cref="Tensors"/> gives. Memory is shared with the mapping
    /// where the data is aligned and stored as such, and then also between two reads of one name; otherwise the tensor is a copy. Like
    /// every new tensor it belongs to the caller's current dispose scope, if there is one: move or detach it to keep it longer.
    /// </summary>
    /// <param name="name">One of the names in <see cref="Tensors"/>.</param>
    /// <exception cref="KeyNotFoundException">There is no such tensor.</exception>
    /// <exception cref="InvalidDataException">The tensor's data is not valid.</exception>
    /// <exception cref="ObjectDisposedException">The checkpoint is disposed.</exception>
    public abstract Tensor Read(string name);

    /// <summary>
    /// Gives back the memory of a tensor that was read and is not needed any more, where the file is mapped: a later read takes it again.
    /// </summary>
    internal virtual void ReleaseMemory(string name)
    {
    }

    /// <summary>Closes the files. Tensors that were read stay valid.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the files.</summary>
    /// <param name="disposing">Always true: the handles below finalize themselves.</param>
    protected abstract void Dispose(bool disposing);

    private protected KeyNotFoundException Missing(string name) => new($"'{Location}' holds no tensor '{name}'.");
}
