namespace MLTransfer.Onnx.Reading.TextImage;

/// <summary>How pixels between pixels are found, with the numbers that <c>resample</c> has in <c>preprocessor_config.json</c>.</summary>
internal enum ResamplingFilter
{
    Nearest = 0,
    Lanczos = 1,
    Bilinear = 2,
    Bicubic = 3,
    Box = 4,
    Hamming = 5,
}
