using System.IO.Compression;
using MLTransfer.Torch.Checkpoints.Hub;
using MLTransfer.Torch.Memory;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer.Persistence;

/// <summary>A model zip as what training or generation starts from, where a folder or a hub id can be given too.</summary>
internal static class ModelZip
{
    /// <summary>What ML.NET puts into every model file.</summary>
    private const string Mark = "TrainingInfo/Version.txt";

    /// <summary>Whether a path is that of a model file; told by its content.</summary>
    /// <exception cref="FileNotFoundException">The path ends as a zip does, and there is nothing.</exception>
    public static bool Is(string path)
    {
        var full = HubOptions.ExpandHome(path);
        if (!File.Exists(full))
        {
            return path.EndsWith(".zip", StringComparison.OrdinalIgnoreCase) && !Directory.Exists(full)
                ? throw new FileNotFoundException(
                    $"There is no file '{Path.GetFullPath(full)}' (given as '{path}'). Expected a model zip that ml.Model.Save wrote.",
                    full)
                : false;
        }

        using var stream = FileOnDisk.OpenRead(full);
        Span<byte> head = stackalloc byte[4];
        if (stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length || !head.SequenceEqual("PK\u0003\u0004"u8))
            return false;
        stream.Position = 0;
        try
        {
            using var archive = new ZipArchive(stream, ZipArchiveMode.Read);
            return archive.Entries.Any(entry => entry.FullName.Replace('\\', '/') == Mark); // ML.NET writes the separator of the system
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException($"The model file '{path}' is damaged: {exception.Message}", exception);
        }
    }

    /// <summary>Loads a model file and takes one transformer out of it, which the caller owns; the others are disposed.</summary>
    /// <param name="environment">Whose component catalog the other transformers may be registered in.</param>
    /// <param name="path">The file.</param>
    /// <param name="wanted">What is looked for, after "The model has", such as "no text generator".</param>
    /// <exception cref="ArgumentException">There is no such transformer; the message lists those there are.</exception>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static T Take<T>(IHostEnvironment environment, string path, string wanted)
        where T : class, ITransformer
    {
        var model = new ModelOperationsCatalog(environment).Load(HubOptions.ExpandHome(path), out _);
        T? found = null;
        try
        {
            found = TransformerChain.Find<T>(model, wanted).Found;
        }
        catch (ArgumentException exception)
        {
            throw new ArgumentException($"'{path}': {exception.Message.Split(" (Parameter")[0]}", exception);
        }
        finally
        {
            foreach (var other in TransformerChain.All(model).Where(transformer => transformer != found))
                (other as IDisposable)?.Dispose();
        }

        return found;
    }
}
