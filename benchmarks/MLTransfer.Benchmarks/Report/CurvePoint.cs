namespace MLTransfer.Benchmarks.Report;

/// <summary>One measurement of a scaling curve.</summary>
/// <param name="Axis">What varies.</param>
/// <param name="Value">Its value.</param>
/// <param name="Measured">Memory and speed.</param>
internal sealed record CurvePoint(CurveAxis Axis, int Value, MemoryMeasurement Measured);
