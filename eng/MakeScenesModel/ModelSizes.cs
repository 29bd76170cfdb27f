using System.Text.Json.Nodes;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Networks.Dalle;
using TextToImage.Scenes;

namespace MakeScenesModel;

/// <summary>The networks: 16 x 16 codes of 512 codewords for a picture of 32 x 32 pixels.</summary>
internal static class ModelSizes
{
    /// <summary>Tokens of a caption: enough for one whose words are new, and spelled.</summary>
    public const int TextLength = 40;

    public static JsonObject Codec() => DiscreteVaeModel.Configure(
        ScenePicture.Side, codebookSize: 512, groups: 2, blocksPerGroup: 1, width: 48, decoderInputWidth: 64);

    /// <param name="words">Tokens of captions.</param>
    public static JsonObject Pictures(int words) =>
        DalleModel.Configure(codecSizes: null, words, TextLength, width: 128, depth: 6, heads: 4, headWidth: 32);
}
