using System.IO.Compression;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using Microsoft.ML;

namespace MLTransfer.Persistence;

/// <summary>Reads the files of a part of a model file.</summary>
internal sealed class ModelPartReader<TManifest>(ModelLoadContext context, TManifest manifest, string component)
    where TManifest : ModelManifest
{
    private readonly ZipArchive? _archive = RepositoryArchive.Open(context.Repository);

    /// <summary>What the part consists of.</summary>
    public TManifest Manifest => manifest;

    /// <summary>What messages call the part.</summary>
    public string Origin => $"The model file's part '{context.Directory}'";

    /// <summary>Reads a file whole.</summary>
    /// <exception cref="InvalidDataException">It is missing, damaged or too large.</exception>
    public byte[] ReadBytes(string name, FileKind kind) => Find(name).ReadBytes(context, _archive, kind);

    /// <summary>Reads a JSON object.</summary>
    /// <exception cref="InvalidDataException">The file is missing, damaged or too large.</exception>
    public JsonObject ReadJson(string name) =>
        JsonContent.ParseObject(ReadBytes(name, FileKind.Configuration), $"The model file is damaged: '{name}'");

    /// <summary>Reads a safetensors file, which the caller disposes.</summary>
    /// <exception cref="InvalidDataException">It is missing or damaged.</exception>
    public SafetensorsFile ReadWeights(string name) => Find(name).Read(context, _archive, stream => SafetensorsFile.Read(stream, name));

    /// <summary>Writes all files to a folder on disk.</summary>
    /// <exception cref="InvalidDataException">One is missing or damaged.</exception>
    public void Extract(string folder)
    {
        foreach (var file in manifest.Files)
            file.Extract(context, _archive, folder);
    }

    /// <summary>One of the files.</summary>
    /// <exception cref="InvalidDataException">There is no such file.</exception>
    public StoredFile Find(string name) => StoredFile.Find(manifest.Files, name, component);
}
