using MLTransfer.Onnx.Generation;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Persistence;

/// <summary>What parts of model files that hold ONNX graphs have in common.</summary>
internal static class OnnxModelParts
{
    /// <summary>Adds graphs, with their files of weights.</summary>
    public static void AddGraphs(this ModelPartWriter writer, IEnumerable<GraphFile> graphs)
    {
        foreach (var file in graphs)
        {
            using var source = file.Open();
            writer.Add(file.Name, source.CopyTo);
        }
    }

    /// <summary>Unpacks a part, since ONNX Runtime reads graphs from files, and makes a transformer of what is loaded there.</summary>
    /// <param name="reader">The part.</param>
    /// <param name="load">Loads a folder.</param>
    /// <param name="create">Takes what was loaded, and the folder, which goes when the transformer does.</param>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static TTransformer Unpack<TManifest, TModel, TTransformer>(
        this ModelPartReader<TManifest> reader, Func<string, TModel> load, Func<TModel, TemporaryModelFolder, TTransformer> create)
        where TManifest : ModelManifest
        where TModel : IDisposable
    {
        reader.Find(ModelConfigurationFile.FileName);
        var folder = new TemporaryModelFolder();
        return Ownership.Pass(folder, () =>
        {
            reader.Extract(folder.Path);
            TModel model;
            try
            {
                model = load(folder.Path);
            }
            catch (Exception exception) when (exception is InvalidDataException or FileNotFoundException)
            {
                throw new InvalidDataException($"{reader.Origin} is damaged: {exception.Message}", exception);
            }

            return Ownership.Pass(model, () => create(model, folder));
        });
    }
}
