using MLTransfer.Onnx.Graphs;

namespace MLTransfer.Onnx.Writing.Transformers;

/// <summary>The inputs and outputs of a decoder that is a part of something larger.</summary>
/// <param name="EncoderWidth">The width of what the encoder gives.</param>
/// <param name="Encode">Makes of [B, S, encoder width] and its mask [B, S] what the decoder looks at, [B, S, C].</param>
/// <param name="HasFlatStreams">Whether streams are rows of the batch: ids [B streams, T], logits [B streams, T, rows].</param>
internal sealed record CrossDecoderForm(int EncoderWidth, Func<Value, Value, Value> Encode, bool HasFlatStreams);
