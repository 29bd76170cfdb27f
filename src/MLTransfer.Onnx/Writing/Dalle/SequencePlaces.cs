using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Writing.Transformers;

namespace MLTransfer.Onnx.Writing.Dalle;

/// <summary>What a pass reads, and where in the sequence.</summary>
/// <param name="Ids">[B, T] int64.</param>
/// <param name="Sequence">The places of what is read, and of what was read before.</param>
internal sealed record SequencePlaces(Value Ids, SequenceNodes Sequence);
