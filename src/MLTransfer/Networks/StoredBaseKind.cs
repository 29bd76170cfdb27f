using System.Text.Json.Serialization;

namespace MLTransfer.Networks;

/// <summary>What the pretrained network in a model file is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StoredBaseKind>))]
internal enum StoredBaseKind
{
    /// <summary>There is none: the new layers are all.</summary>
    None,

    /// <summary>An ONNX file that ONNX Runtime computes.</summary>
    OnnxFeatures,

    /// <summary>An ONNX file that is made into layers.</summary>
    OnnxLayers,

    /// <summary>A TorchScript program, with its weights beside it.</summary>
    TorchScript,

    /// <summary>Layers of this library.</summary>
    Layers,

    /// <summary>A class of the user's own.</summary>
    Module,
}
