namespace AudioGeneration;

internal enum SampleTask
{
    Music,
    Speech,
}
