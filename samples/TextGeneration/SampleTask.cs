namespace TextGeneration;

internal enum SampleTask
{
    Generate,
    Infill,
}
