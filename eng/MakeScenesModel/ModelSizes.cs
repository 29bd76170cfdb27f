using System.Text.Json.Nodes;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using TextToImage.Scenes;

namespace MakeScenesModel;

/// <summary>The networks: 8 x 8 codes of 1024 codewords for a picture of 32 x 32 pixels.</summary>
internal static class ModelSizes
{
    public static JsonObject Codec() => DiscreteVaeModel.Configure(
        ScenePicture.Side, codebookSize: 1024, groups: 3, blocksPerGroup: 1, width: 48, decoderInputWidth: 64);
}
