using static TorchSharp.torch;

namespace MLTransfer.Onnx.Reading.Operators;

/// <summary>Computes a node. What it makes belongs to the current dispose scope, and is never an input itself.</summary>
/// <param name="node">The node with its attributes.</param>
/// <param name="inputs">The node's inputs; null for those that are left out.</param>
internal delegate Tensor[] Operator(OnnxNode node, Tensor?[] inputs);
