using System.IO.Compression;
using System.Text;
using MLTransfer.Torch.Checkpoints.Safetensors;
using Microsoft.ML;
using static TorchSharp.torch;

namespace MLTransfer.Persistence;

/// <summary>Writes the files of a part of a model file.</summary>
internal sealed class ModelPartWriter(ModelSaveContext context)
{
    private readonly ZipArchive? _archive = RepositoryArchive.Of(context.Repository);
    private readonly List<StoredFile> _files = [];

    /// <summary>The files so far.</summary>
    public IReadOnlyList<StoredFile> Files => _files;

    /// <summary>
    /// Writes a file whose content hardly becomes smaller when it is compressed, such as weights: it is read much faster so.
    /// </summary>
    public void Add(string name, Action<Stream> write) => Add(name, compress: false, write);

    /// <summary>Writes a text, compressed.</summary>
    public void AddText(string name, string text) => AddText(name, Encoding.UTF8.GetBytes(text));

    /// <summary>Writes a text, compressed.</summary>
    public void AddText(string name, byte[] text) => Add(name, compress: true, stream => stream.Write(text));

    /// <summary>Writes tensors as safetensors.</summary>
    /// <param name="name">The file's name.</param>
    /// <param name="tensors">The tensors.</param>
    /// <param name="storeAs">The number format; null for that of each tensor.</param>
    public void AddWeights(string name, IEnumerable<KeyValuePair<string, Tensor>> tensors, ScalarType? storeAs = null) =>
        Add(name, stream => SafetensorsWriter.Write(stream, tensors, storeAs: storeAs));

    private void Add(string name, bool compress, Action<Stream> write) =>
        _files.Add(StoredFile.Write(context, _archive, name, compress, write));
}
