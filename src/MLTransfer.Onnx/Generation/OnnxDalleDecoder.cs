using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Codecs;
using MLTransfer.Torch.Networks.Dalle;

namespace MLTransfer.Onnx.Generation;

/// <summary>A DALL-E: one sequence of a text and then codes, which are numbered behind all text ids.</summary>
internal sealed class OnnxDalleDecoder : OnnxTextToImageDecoder
{
    private readonly DalleConfiguration _sizes;

    /// <exception cref="FileNotFoundException">A graph is missing.</exception>
    /// <exception cref="InvalidDataException">A graph or <c>config.json</c> is malformed, or they do not fit each other.</exception>
    public OnnxDalleDecoder(JsonObject configuration, string folder, ExportedGraphs graphs)
        : this(configuration, DalleCodec.SizesOf(configuration, PathOf(folder)), folder, graphs)
    {
    }

    private OnnxDalleDecoder(JsonObject configuration, ImageCodecSizes codec, string folder, ExportedGraphs graphs)
        : base(configuration, codec, graphs)
    {
        _sizes = DalleConfiguration.Parse(configuration, PathOf(folder), codec.CodesPerSide, codec.CodebookSize);
        graphs.CheckMerged(Decoder, _sizes.Logits, hasBranch: false);
    }

    public override string Name => DalleConfiguration.Architecture;

    public override int CaptionVocabulary => _sizes.TextVocabulary;

    public override int LogitsPerPosition => _sizes.Logits;

    public override int[] PadCaption(IReadOnlyList<int>? caption) => _sizes.PadCaption(caption);

    public override ICodeWriter CreateWriter(IReadOnlyList<int[]> text) => new OnnxCodeWriter(
        Decoder, [.. text.Select(row => (long[])[0, .. row.Select(id => (long)id)])], _sizes.TextRows, _sizes.TextRows, CodebookSize,
        captions: null);

    private static string PathOf(string folder) => Path.Combine(folder, ModelConfigurationFile.FileName);
}
