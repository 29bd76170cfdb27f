using System.Text;
using MLTransfer.Onnx.Generation;
using MLTransfer.Text;
using Microsoft.ML;

namespace MLTransfer.Persistence;

/// <summary>
/// Writes and reads the part of a model file that belongs to an ONNX text generator. Beside the <see cref="OnnxTextGeneratorManifest"/> its folder
/// in the zip holds the graph, where there are any its files of weights, <c>config.json</c> and the tokenizer's files. ONNX Runtime reads graphs
/// from files, so loading unpacks the folder.
/// </summary>
internal static class OnnxTextGeneratorFile
{
    private const string ConfigurationName = "config.json";

    private static VersionInfo Version => ModelFileVersion.Create("ONNXTEXT", OnnxTextGeneratorTransformer.LoaderSignature);

    public static void Save(ModelSaveContext context, OnnxTextGeneratorTransformer transformer)
    {
        if (!context.InRepository)
            throw new NotSupportedException("A text generator can only be saved to a model file (zip).");
        context.CheckAtModel();
        context.SetVersionInfo(Version);
        var model = transformer.Model;
        var archive = RepositoryArchive.Of(context.Repository);
        var files = new List<StoredFile>();
        foreach (var (name, content) in model.Tokenizer.Files)
            Add(name, true, stream => stream.Write(content));
        Add(ConfigurationName, true, stream => stream.Write(Encoding.UTF8.GetBytes(model.Configuration.ToJsonString())));
        foreach (var file in model.Files.Graph)
        {
            using var source = file.Open();
            Add(file.Name, false, source.CopyTo);
        }

        StoredManifest.Write(context, new OnnxTextGeneratorManifest
        {
            Columns = transformer.Columns,
            Generation = transformer.Generation,
            GenerationBatchSize = transformer.GenerationBatchSize,
            ModelFile = model.Files.Graph[0].Name,
            ThreadCount = model.Options.ThreadCount,
            Files = files,
        });

        void Add(string name, bool compress, Action<Stream> write) => files.Add(StoredFile.Write(context, archive, name, compress, write));
    }

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="NotSupportedException">A newer version of the library wrote the file.</exception>
    public static OnnxTextGeneratorTransformer Load(ModelLoadContext context)
    {
        ModelFileVersion.Check(context, Version);
        var manifest = StoredManifest.Read<OnnxTextGeneratorManifest>(context, "text generator", manifest => manifest.Check());
        var archive = RepositoryArchive.Of(context.Repository);
        manifest.Find(ConfigurationName);
        var folder = new TemporaryModelFolder();
        try
        {
            foreach (var file in manifest.Files)
                file.Extract(context, archive, folder.Path);
            var options = new OnnxRuntimeOptions { ModelFile = manifest.ModelFile, ThreadCount = manifest.ThreadCount };
            return new OnnxTextGeneratorTransformer(
                Load(context, folder.Path, options), folder, manifest.Columns, manifest.Generation, manifest.GenerationBatchSize);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    private static OnnxTextGenerator Load(ModelLoadContext context, string folder, OnnxRuntimeOptions options)
    {
        try
        {
            return OnnxTextGenerator.Load(folder, options);
        }
        catch (Exception exception) when (exception is InvalidDataException or FileNotFoundException)
        {
            throw new InvalidDataException($"The model file's part '{context.Directory}' is damaged: {exception.Message}", exception);
        }
    }
}
