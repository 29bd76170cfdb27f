using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Weights;

namespace MLTransfer.Onnx.Writing;

/// <summary>What a family's exporter is told.</summary>
/// <param name="Graph">Takes the nodes.</param>
/// <param name="Format">How weights are stored and multiplied.</param>
/// <param name="Parameters">The model's parameters by name.</param>
/// <param name="FusedOperators">Whether operators of ONNX Runtime alone are used.</param>
/// <param name="HasPast">Whether the graph takes and gives past key values.</param>
internal sealed record GraphOptions(GraphBuilder Graph, WeightFormat Format, ModelParameters Parameters, bool FusedOperators, bool HasPast);
