using System.Text.Json.Nodes;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Codecs;
using MLTransfer.Torch.Networks.DalleMini;
using MLTransfer.Torch.Networks.Transformers.Families;
using Microsoft.ML.OnnxRuntime;

namespace MLTransfer.Onnx.Generation;

/// <summary>A DALL-E mini: an encoder of captions, and a decoder that looks at what it gave.</summary>
internal sealed class OnnxDalleMiniDecoder : OnnxTextToImageDecoder
{
    private readonly JsonObject _codecConfiguration;
    private readonly InferenceSession _encoder;
    private readonly int _textLength;
    private readonly int _startId;

    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A graph or a configuration is malformed, or they do not fit each other.</exception>
    public OnnxDalleMiniDecoder(JsonObject configuration, string folder, ExportedGraphs graphs)
        : this(configuration, ReadCodec(folder), folder, graphs)
    {
    }

    private OnnxDalleMiniDecoder(JsonObject configuration, JsonObject codec, string folder, ExportedGraphs graphs)
        : base(configuration, ImageCodecSizes.OfVqgan(codec, Path.Combine(folder, DalleMiniFiles.CodecConfiguration)), graphs)
    {
        var sizes = new ConfigurationReader(configuration, Path.Combine(folder, ModelConfigurationFile.FileName));
        (_codecConfiguration, _textLength) = (codec, sizes.Size("max_text_length", 64));
        (CaptionVocabulary, _startId) = (sizes.Size("encoder_vocab_size", 50264), sizes.Count("decoder_start_token_id", CodebookSize));
        var (ids, codes) = (sizes.Size("image_vocab_size", 16384) + 1, sizes.Size("image_length", 256));
        if (codes != CodesPerSide * CodesPerSide || CodebookSize > ids || _startId >= ids)
        {
            throw sizes.Invalid(
                $"image_length is {codes}, image_vocab_size {ids - 1} and the start {_startId}, but {DalleMiniFiles.CodecConfiguration} "
                + $"tells of {CodesPerSide} x {CodesPerSide} codes of {CodebookSize}");
        }

        _encoder = graphs.Open(TextToImageExporter.TextEncoder);
        graphs.CheckMerged(Decoder, ids, hasBranch: true);
    }

    public override IReadOnlyDictionary<string, JsonObject> OtherConfigurations =>
        new Dictionary<string, JsonObject> { [DalleMiniFiles.CodecConfiguration] = _codecConfiguration };

    /// <summary>What <c>config.json</c> has as its <c>model_type</c>.</summary>
    public static string ModelType => DalleBart.Family.ModelType;

    public override string Name => ModelType;

    public override int CaptionVocabulary { get; }

    public override int[] PadCaption(IReadOnlyList<int>? caption) => DalleMiniCaption.Pad(caption, CaptionVocabulary, _textLength);

    public override ICodeWriter CreateWriter(IReadOnlyList<int[]> text) => new OnnxCodeWriter(
        Decoder, [.. text.Select(_ => (long[])[_startId])], firstCode: 0, firstLogit: 0, CodebookSize,
        EncodedCaptions.Read(_encoder, Decoder, [.. text.Select(DalleMiniCaption.WithoutPadding)]));

    private static JsonObject ReadCodec(string folder)
    {
        var path = Path.Combine(folder, DalleMiniFiles.CodecConfiguration);
        return File.Exists(path)
            ? JsonContent.ParseObject(FileKind.Configuration.Read(path), path)
            : throw new FileNotFoundException(
                $"The folder '{folder}' is no ONNX export of a {ModelType}: it has no {DalleMiniFiles.CodecConfiguration}.", path);
    }
}
