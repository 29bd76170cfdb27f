// The tests write and read parts of model files as ML.NET does, with types that it keeps internal.
[assembly: System.Runtime.CompilerServices.IgnoresAccessChecksTo("Microsoft.ML.Core")]
