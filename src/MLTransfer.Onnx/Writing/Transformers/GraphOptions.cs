using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Weights;

namespace MLTransfer.Onnx.Writing.Transformers;

/// <summary>What the writer of a transformer is told.</summary>
/// <param name="Graph">Takes the nodes.</param>
/// <param name="Format">How weights are stored and multiplied.</param>
/// <param name="Parameters">The model's parameters by name.</param>
/// <param name="FusedOperators">Whether operators of ONNX Runtime alone are used.</param>
internal sealed record GraphOptions(GraphBuilder Graph, WeightFormat Format, ModelParameters Parameters, bool FusedOperators);
