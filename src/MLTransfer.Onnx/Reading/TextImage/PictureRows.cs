namespace MLTransfer.Onnx.Reading.TextImage;

/// <summary>Pictures as a network takes them.</summary>
/// <param name="Values">[count, 3, height, width].</param>
/// <param name="Count">The pictures.</param>
/// <param name="Height">Of each.</param>
/// <param name="Width">Of each.</param>
internal sealed record PictureRows(float[] Values, int Count, int Height, int Width);
