using System.Text.Json.Nodes;
using MLTransfer.Onnx.Writing;
using MLTransfer.Onnx.Writing.Codecs;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Codecs;
using MLTransfer.Torch.Networks.Dalle;
using Microsoft.ML.OnnxRuntime;

namespace MLTransfer.Onnx.Generation;

/// <summary>Writes codes of pictures with the graphs of an export that ONNX Runtime runs, and makes pictures of them.</summary>
internal abstract class OnnxTextToImageDecoder : ITextToImageDecoder, IDisposable
{
    private readonly UseCount _uses = new();
    private readonly ImageCodecSizes _codec;
    private readonly InferenceSession _pictureDecoder;
    private readonly InferenceSession? _pictureEncoder;

    /// <param name="configuration">The content of <c>config.json</c>.</param>
    /// <param name="codec">The codec's sizes.</param>
    /// <param name="graphs">Opens graphs; disposed with this object, or where it cannot be made.</param>
    private protected OnnxTextToImageDecoder(JsonObject configuration, ImageCodecSizes codec, ExportedGraphs graphs)
    {
        (Configuration, _codec, Graphs) = (configuration, codec, graphs);
        Decoder = graphs.Open(TextToImageExporter.Decoder);
        _pictureDecoder = graphs.Open(Path.GetFileNameWithoutExtension(ImageCodecExporter.DecoderFile));
        _pictureEncoder = graphs.OpenIfThere(Path.GetFileNameWithoutExtension(ImageCodecExporter.EncoderFile));
    }

    /// <summary>The content of <c>config.json</c>.</summary>
    public JsonObject Configuration { get; }

    /// <summary>The files beside it, by name, that tell of the network too.</summary>
    public virtual IReadOnlyDictionary<string, JsonObject> OtherConfigurations => new Dictionary<string, JsonObject>();

    /// <summary>The graphs, the text's decoder first.</summary>
    public ExportedGraphs Graphs { get; }

    /// <summary>What messages call the network.</summary>
    public abstract string Name { get; }

    /// <summary>Whether pictures can be completed and varied.</summary>
    public bool CanEncode => _pictureEncoder is not null;

    /// <inheritdoc/>
    public int CodesPerSide => _codec.CodesPerSide;

    /// <inheritdoc/>
    public int CodebookSize => _codec.CodebookSize;

    /// <inheritdoc/>
    public virtual int LogitsPerPosition => CodebookSize;

    /// <inheritdoc/>
    public abstract int CaptionVocabulary { get; }

    /// <inheritdoc/>
    public int PictureSize => _codec.CodesPerSide * _codec.DownsamplingFactor;

    /// <inheritdoc/>
    public int MostRows => int.MaxValue;

    /// <summary>Writes codes.</summary>
    protected InferenceSession Decoder { get; }

    /// <summary>Loads an export of whatever network of this kind.</summary>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A graph or a configuration is malformed.</exception>
    /// <exception cref="NotSupportedException">The export is of another network.</exception>
    public static OnnxTextToImageDecoder Load(string folder, OnnxRuntimeOptions options)
    {
        var configuration = ModelConfigurationFile.Read(folder);
        var (type, architecture) = (configuration["model_type"]?.ToString(), configuration["architecture"]?.ToString());
        Func<ExportedGraphs, OnnxTextToImageDecoder> create = (type, architecture) switch
        {
            _ when type == OnnxDalleMiniDecoder.ModelType => graphs => new OnnxDalleMiniDecoder(configuration, folder, graphs),
            (_, DalleConfiguration.Architecture) => graphs => new OnnxDalleDecoder(configuration, folder, graphs),
            _ => throw new NotSupportedException(
                $"The folder '{folder}' has the export of a '{type ?? architecture}' ({ModelConfigurationFile.FileName}); pictures of "
                + $"captions are made by a {OnnxDalleMiniDecoder.ModelType} or a {DalleConfiguration.Architecture}."),
        };
        var graphs = new ExportedGraphs(folder, options, TextToImageExporter.Decoder, $"a {type ?? architecture}");
        try
        {
            return create(graphs);
        }
        catch
        {
            graphs.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public UseCount.Hold Hold() => _uses.Begin(typeof(OnnxTextToImageGenerator));

    /// <inheritdoc/>
    public abstract int[] PadCaption(IReadOnlyList<int>? caption);

    /// <inheritdoc/>
    public abstract ICodeWriter CreateWriter(IReadOnlyList<int[]> text);

    /// <inheritdoc/>
    public int[] EncodePicture(float[] pixels)
    {
        if (_pictureEncoder is null)
        {
            throw new NotSupportedException(
                $"The export has no {ImageCodecExporter.EncoderFile}: it completes no pictures. Export a model whose codec has an "
                + "encoder.");
        }

        using var input = OrtValue.CreateTensorValueFromMemory(pixels, [1, 3, PictureSize, PictureSize]);
        using var run = new RunOptions();
        using var outputs = _pictureEncoder.Run(run, [PictureCodecGraph.Pictures], [input], [PictureCodecGraph.Codes]);
        return [.. outputs[0].GetTensorDataAsSpan<long>().ToArray().Select(code => (int)code)];
    }

    /// <inheritdoc/>
    public float[] DecodePicture(IReadOnlyList<int> codes)
    {
        using var input = OrtValue.CreateTensorValueFromMemory(
            [.. codes.Select(code => (long)code)], [1, CodesPerSide, CodesPerSide]);
        using var run = new RunOptions();
        using var outputs = _pictureDecoder.Run(run, [PictureCodecGraph.Codes], [input], [PictureCodecGraph.Pictures]);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }

    /// <summary>Frees the graphs, as soon as nothing generates with them.</summary>
    public void Dispose() => _uses.Dispose(Graphs.Dispose);
}
