using System.Globalization;
using Google.Protobuf;
using MLTransfer.Onnx.Checking;
using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Schema;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks;
using static TorchSharp.torch;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Weights;

/// <summary>
/// The initializers of <c>adapter.onnx_data</c>: the matrices under peft's names and in its layout, and the factor of their product.
/// </summary>
internal static class AdapterFile
{
    /// <summary>A scalar: alpha / rank.</summary>
    private const string ScaleName = "lora_scale";

    /// <summary>What a layer's scalar is called: all layers have one, unless patterns tell them apart.</summary>
    public static string ScaleNameOf(LoraOptions options, string layer) =>
        options.RankPattern.Count + options.AlphaPattern.Count == 0 ? ScaleName : $"{layer}.{ScaleName}";

    private const string LocationKey = "location";

    /// <summary>[rank, inputs] or [outputs, rank].</summary>
    public static Initializer Matrix(string name, Tensor matrix, DataType type) =>
        new(name, type, matrix.shape, stream => TensorContent.Write(stream, matrix, type)) { IsAdapter = true };

    public static Initializer Scale(string name, double scale, DataType type)
    {
        var bytes = type == DataType.Float16 ? BitConverter.GetBytes((Half)scale) : BitConverter.GetBytes((float)scale);
        return new Initializer(name, type, [], stream => stream.Write(bytes)) { IsAdapter = true };
    }

    /// <summary>Writes the file beside a model anew, with the adapters of another model in the old ones' places.</summary>
    public static void Replace(string modelPath, GenerativeNetwork model)
    {
        var file = ReadModel(modelPath);
        var places = Places(file);
        if (places.Count == 0)
            throw new InvalidDataException(
                $"'{modelPath}' has its adapter merged, or none. Export it with {nameof(OnnxExportOptions.SeparateAdapter)}.");
        if (model.Lora is { TrainedModules.Count: > 0 } options)
        {
            throw new ArgumentException(
                $"The model's adapter comes with modules that were trained whole ({string.Join(", ", options.TrainedModules)}), which "
                + "are no part of the adapter's file. Export the model anew.", nameof(model));
        }

        var adapters = model.AdapterParameters().ToDictionary(parameter => parameter.name, parameter => (Tensor)parameter.parameter);
        var initializers = places.Select(place => (place.Offset, Initializer: Find(place.Header))).ToList();
        if (adapters.Count > 0)
        {
            throw new ArgumentException(
                $"The model has the adapter '{adapters.Keys.Min(StringComparer.Ordinal)}', for which '{modelPath}' has no place. "
                    + "Export the model anew.", nameof(model));
        }

        var path = Path.Combine(Path.GetDirectoryName(modelPath)!, ModelFileWriter.AdapterFile);
        AtomicFile.Write(path, stream =>
        {
            foreach (var (offset, initializer) in initializers)
            {
                stream.Write(new byte[offset - stream.Position]);
                initializer.Write(stream);
            }
        }, Open);

        // The model names the adapter's file: it is told the temporary name.
        void Open(string temporary)
        {
            foreach (var (_, header) in places)
                header.ExternalData.First(entry => entry.Key == LocationKey).Value = Path.GetFileName(temporary);
            ExportedSession.Open(file.ToByteArray(), Path.GetDirectoryName(temporary)!, $"adapter of '{modelPath}'").Dispose();
        }

        Initializer Find(TensorProto header)
        {
            var type = (DataType)header.DataType;
            if (header.Name.EndsWith(ScaleName, StringComparison.Ordinal))
            {
                var layer = header.Name[..^ScaleName.Length].TrimEnd('.');
                if (model.Lora is { } lora && ScaleNameOf(lora, layer) == header.Name)
                    return Scale(header.Name, lora.ScaleOf(layer), type);
            }

            if (!adapters.Remove(header.Name, out var matrix))
                throw new ArgumentException(
                    $"The model has no adapter '{header.Name}', which '{modelPath}' asks for. Export the model anew.", nameof(model));
            if (!matrix.shape.SequenceEqual(header.Dims))
            {
                throw new ArgumentException(
                    $"The adapter '{header.Name}' has shape [{string.Join(", ", matrix.shape)}], but '{modelPath}' has room for "
                    + $"[{string.Join(", ", header.Dims)}]. Export the model anew.", nameof(model));
            }

            return Matrix(header.Name, matrix, type);
        }
    }

    private static ModelProto ReadModel(string modelPath)
    {
        try
        {
            using var stream = FileOnDisk.OpenRead(modelPath);
            return ModelProto.Parser.ParseFrom(stream);
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new InvalidDataException($"'{modelPath}' is no ONNX file: {exception.Message}", exception);
        }
    }

    private static List<(long Offset, TensorProto Header)> Places(ModelProto file)
    {
        var places = new List<(long Offset, TensorProto Header)>();
        foreach (var header in file.Graph?.Initializer ?? [])
        {
            if (Entry(LocationKey) == ModelFileWriter.AdapterFile)
                places.Add((long.Parse(Entry("offset")!, CultureInfo.InvariantCulture), header));

            string? Entry(string key) => header.ExternalData.FirstOrDefault(entry => entry.Key == key)?.Value;
        }

        places.Sort((a, b) => a.Offset.CompareTo(b.Offset));
        return places;
    }
}
